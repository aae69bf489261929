"""Whether dreams tell the truth, where synthetic composers planted it: what dreams moved, what comes again from another seed, what regularisers do."""
