"""From a confirmation to an unsealed PDF; sees no keys."""
