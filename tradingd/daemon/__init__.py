"""Life of the process: start, stop, supervision, jobs, reload."""
