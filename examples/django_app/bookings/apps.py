"""Django's description of this application."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Meeting rooms and bookings."""

    name = "bookings"
