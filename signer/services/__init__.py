"""The use cases: the engines in the right order, one file a verb."""
