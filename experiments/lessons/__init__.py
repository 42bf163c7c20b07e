"""A file a lesson, named after what it claims."""
