"""From what is true of somebody to the columns in which two agencies write it."""
