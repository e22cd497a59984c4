"""The long work behind a job."""
