"""The study of instruments (paper): targeted dreams, dreams from noise, what is claimed of them, and figures 1, 2 and 3."""
