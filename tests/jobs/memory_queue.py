"""The job queue's promises in forty lines of memory, for the worker's own tests."""

from dataclasses import replace

from studio.domain.job import Job, JobStatus, Want


class MemoryQueue:
    def __init__(self, *jobs):
        self.jobs = {job.id: job for job in jobs}
        self.owners = {}
        self.leases = {}
        self.known = {}
        self.beats = 0

    def claim(self, worker, now, lease_s, kinds=None, *, urgent_only=False, dead=(), mine=()):
        urgent = {i for i, job in self.jobs.items() if job.params.get("priority") == "high"}
        for job in sorted(self.jobs.values(), key=lambda job: (job.id not in urgent, job.id)):
            waits = job.want is Want.RUN and (
                job.status is JobStatus.PAUSED
                or (job.status is JobStatus.QUEUED and job.ready_at <= now)
            )
            left = job.status is JobStatus.RUNNING and (
                self.leases[job.id] < now or self.owners[job.id] in dead
            )
            fits = (kinds is None or job.kind in kinds) and (job.id in urgent or not urgent_only)
            if fits and (waits or left) and job.id not in mine:
                taken = replace(job, status=JobStatus.RUNNING, fence=job.fence + 1, started_at=now)
                self.jobs[job.id], self.owners[job.id] = taken, worker
                self.leases[job.id] = now + lease_s
                return taken
        return None

    def _set(self, job_id, fence, **changes):
        job = self.jobs[job_id]
        if job.fence != fence or job.status is not JobStatus.RUNNING:
            return False
        self.jobs[job_id] = replace(job, **changes)
        return True

    def beat(self, job_id, fence, now, lease_s, **progress):
        if not self._set(job_id, fence, **progress):
            return None
        self.beats += 1
        self.leases[job_id] = now + lease_s
        return self.jobs[job_id].want

    def finish(self, job_id, fence, status, message, now):
        self._set(job_id, fence, status=status, message=message, finished_at=now)

    def release(self, job_id, fence, now, *, ready_at=0.0, message=None, heard=None):
        said = {} if message is None else {"message": message}
        want = self.jobs[job_id].want
        if heard and want is not Want.RUN:
            self._set(job_id, fence, **said)
            self.leases[job_id] = ready_at if want is heard else 0.0
            return
        self._set(job_id, fence, status=JobStatus.QUEUED, ready_at=ready_at, **said)

    def park(self, job_id, fence, message=None):
        said = {} if message is None else {"message": message, "want": Want.PAUSE}
        self._set(job_id, fence, status=JobStatus.PAUSED, **said)

    def record_worker(self, info):
        self.known[info.name] = info

    def workers(self):
        return list(self.known.values())

    def ask_for(self, job_id, want):
        self.jobs[job_id] = replace(self.jobs[job_id], want=want)

    def status(self, job_id):
        return self.jobs[job_id].status


def job(number=1, kind="run", *, urgent=False, **extra):
    params = {"priority": "high"} if urgent else {}
    return Job(id=number, kind=kind, subject_id=number, params=params, **extra)
