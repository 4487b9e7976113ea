"""Will it fit: memory of training and answering, from shapes alone."""
