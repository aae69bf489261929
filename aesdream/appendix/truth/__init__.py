"""Whether dreams tell the truth that synthetic composers planted: what they moved, what comes again from another seed, what regularisers do."""
