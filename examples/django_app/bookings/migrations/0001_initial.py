"""Rooms, and their bookings."""
# ruff: noqa: RUF012 - migrations are written this way

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Create both tables."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("seats", models.PositiveSmallIntegerField()),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.CreateModel(
            name="Booking",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bookings", to="bookings.room"
                    ),
                ),
                ("title", models.CharField(max_length=80)),
                ("day", models.DateField()),
                ("start", models.PositiveSmallIntegerField()),
                ("minutes", models.PositiveSmallIntegerField()),
            ],
            options={"ordering": ("day", "start", "id")},
        ),
    ]
