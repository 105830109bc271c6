"""The API for machines: tokens at the gate, one file a subject, translation only."""
