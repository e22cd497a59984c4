"""A provider whose training can be held, and what the tests of fine-tunes do with it."""

from studio.actions.finetunes import launch_finetune
from studio.domain.finetune import FineTuneStatus
from studio.errors import RefusedRequestError
from studio.providers.base import FineTuneState
from studio.providers.scripted import ScriptedProvider


class Trainer(ScriptedProvider):
    """A scripted provider whose training can be held, and that counts what it is asked."""

    def __init__(self):
        super().__init__({}, name="embedded")
        self.creates = self.cancels = self.polls = 0
        self.hold = False
        self.pauses = True
        self.poll_failures = []
        self.after_create = None
        self.ends = None

    async def create_fine_tune(self, *args, **more):
        self.creates += 1
        state = await super().create_fine_tune(*args, **more)
        if self.after_create:
            raise self.after_create
        return state

    async def cancel_fine_tune(self, remote_id):
        self.cancels += 1
        return await super().cancel_fine_tune(remote_id)

    async def pause_fine_tune(self, remote_id):
        if not self.pauses:
            raise RefusedRequestError("No such path.")
        return await super().pause_fine_tune(remote_id)

    async def fine_tune(self, remote_id):
        self.polls += 1
        if self.poll_failures:
            raise self.poll_failures.pop()
        training = self._training(remote_id)
        if self.ends and not training.state.status.is_final:
            training.state = FineTuneState(
                remote_id=remote_id, status=FineTuneStatus.FAILED, error=self.ends
            )
        if self.hold and training.state.status is not FineTuneStatus.PAUSED:
            return FineTuneState(remote_id=remote_id, status=FineTuneStatus.RUNNING)
        return await super().fine_tune(remote_id)


def launch(ws, task):
    return launch_finetune(ws, task.id, by="Ada")


def job_of(ws, finetune):
    return ws.read.jobs.get(finetune.job_id)


def launch_far(ws, task):
    return launch_finetune(ws, task.id, consent=True, by="Ada")
