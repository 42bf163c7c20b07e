"""What the gradient monitor is made of: the record of each step, the measurements, the figure."""
