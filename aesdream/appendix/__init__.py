"""The appendix: every figure and table of a run, as a page to listen to and a PDF to print (``build``)."""
