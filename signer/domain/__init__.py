"""What a confirmation is and when it may be issued: pure, without I/O, clock or framework."""
