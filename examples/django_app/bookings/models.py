"""The tables."""

from django.db import models

from bookings.rules import Slot


class Room(models.Model):
    """A room that can be booked."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80, unique=True)
    seats = models.PositiveSmallIntegerField()

    class Meta:
        """Rooms are listed in the order they were added."""

        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Booking(models.Model):
    """A room on a day, from a minute of that day on."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="bookings")
    title = models.CharField(max_length=80)
    day = models.DateField()
    start = models.PositiveSmallIntegerField()  # minutes after midnight
    minutes = models.PositiveSmallIntegerField()
    attendees = models.PositiveSmallIntegerField()

    class Meta:
        """Bookings are listed in the order they take place, and no two of a room start together."""

        ordering = ("day", "start", "id")
        constraints = (models.UniqueConstraint(fields=("room", "day", "start"), name="one_booking_at_a_time"),)

    def __str__(self) -> str:
        return self.title

    @property
    def slot(self) -> Slot:
        """The part of the day that the booking takes."""
        return Slot(self.start, self.minutes)
