"""Programs written without knowledge of the rules; the sets in order: forum, guides, teams, courses."""
