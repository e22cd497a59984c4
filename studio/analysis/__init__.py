"""Pure computation on domain objects: votes, metrics, intervals, slices, splits."""
