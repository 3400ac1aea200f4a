"""What commands print of an agreement, a confirmation and a rehearsal, as text and as JSON."""
