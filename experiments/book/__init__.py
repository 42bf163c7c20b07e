"""The lesson book: claims about neural networks, each an experiment with a verdict. lesson.py first."""
