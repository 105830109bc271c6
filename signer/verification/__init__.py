"""Facts in, verdict out: pure, one decision function for page, API, command line and self-check."""
