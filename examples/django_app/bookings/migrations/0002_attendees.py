"""How many people come, and that no two bookings of a room start together."""
# ruff: noqa: RUF012 - migrations are written this way

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the column, for one person where it was not asked, and the constraint."""

    dependencies = [("bookings", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="attendees",
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.UniqueConstraint(fields=("room", "day", "start"), name="one_booking_at_a_time"),
        ),
    ]
