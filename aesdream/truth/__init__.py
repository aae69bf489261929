"""Whether dreams tell the truth: what they moved, how sure that is, and what of it comes again from another seed. Pure functions of arrays."""
