"""The entrance for browsers and machines: translation only. Flask lives here and nowhere else."""
