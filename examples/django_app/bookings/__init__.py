"""Meeting rooms, and who has booked them."""
