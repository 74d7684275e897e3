"""The Django project around the bookings."""
