"""The codes on paper."""
