"""The API: requests in, JSON out."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from bookings.models import Booking, Room
from bookings.rules import ConflictError, check_booking, format_clock, price_cents
from bookings.validation import InvalidError, read_booking, read_day, read_object, read_seats

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase


class ApiView(View):
    """A view whose errors are JSON."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; say what is wrong with it if something is."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except InvalidError as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        except (Room.DoesNotExist, Booking.DoesNotExist):
            return problem(HTTPStatus.NOT_FOUND, "not found")
        except ConflictError as error:
            return problem(HTTPStatus.CONFLICT, str(error))


class RoomsView(ApiView):
    """All rooms."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """List the rooms, or those with enough seats."""
        rooms = Room.objects.all()
        if "seats" in request.GET:
            rooms = rooms.filter(seats__gte=read_seats(request.GET["seats"]))
        return JsonResponse({"rooms": [room_json(room) for room in rooms]})


class RoomView(ApiView):
    """One room."""

    def get(self, _request: HttpRequest, room_id: int) -> HttpResponse:
        """Look a room up."""
        return JsonResponse(room_json(Room.objects.get(id=room_id)))


class RoomBookingsView(ApiView):
    """The bookings of a room."""

    def get(self, request: HttpRequest, room_id: int) -> HttpResponse:
        """List a room's bookings, or those of one day."""
        bookings = Room.objects.get(id=room_id).bookings.select_related("room")
        if "day" in request.GET:
            bookings = bookings.filter(day=read_day(request.GET["day"]))
        return JsonResponse({"bookings": [booking_json(booking) for booking in bookings]})

    def post(self, request: HttpRequest, room_id: int) -> HttpResponse:
        """Book the room."""
        if not may_write(request):
            return unauthenticated()
        if request.content_type != "application/json":
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body has to be application/json")
        new = read_booking(read_object(request.body))
        with transaction.atomic():
            room = Room.objects.get(id=room_id)
            taken = [booking.slot for booking in room.bookings.filter(day=new.day)]
            check_booking(new.slot, new.attendees, room.seats, taken)
            booking = room.bookings.create(
                title=new.title,
                day=new.day,
                start=new.slot.start,
                minutes=new.slot.minutes,
                attendees=new.attendees,
            )
        headers = {"Location": f"/api/bookings/{booking.id}"}
        return JsonResponse(booking_json(booking), status=HTTPStatus.CREATED, headers=headers)


class BookingView(ApiView):
    """One booking."""

    def get(self, _request: HttpRequest, booking_id: int) -> HttpResponse:
        """Look a booking up."""
        return JsonResponse(booking_json(Booking.objects.select_related("room").get(id=booking_id)))

    def delete(self, request: HttpRequest, booking_id: int) -> HttpResponse:
        """Cancel a booking."""
        if not may_write(request):
            return unauthenticated()
        with transaction.atomic():
            Booking.objects.get(id=booking_id).delete()
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def may_write(request: HttpRequest) -> bool:
    """Whether the request carries the key; nobody does if there is none."""
    expected = settings.ROOMS_API_KEY
    given = request.headers.get("X-Api-Key", "")
    return bool(expected) and secrets.compare_digest(given.encode(), expected.encode())


def room_json(room: Room) -> dict[str, Any]:
    """A room, as the API shows it."""
    return {"id": room.id, "name": room.name, "seats": room.seats}


def booking_json(booking: Booking) -> dict[str, Any]:
    """A booking, as the API shows it."""
    return {
        "id": booking.id,
        "room": booking.room_id,
        "title": booking.title,
        "day": booking.day.isoformat(),
        "start": format_clock(booking.start),
        "end": format_clock(booking.slot.end),
        "attendees": booking.attendees,
        "price_cents": price_cents(booking.room.seats, booking.minutes),
    }


def problem(status: HTTPStatus, detail: str) -> JsonResponse:
    """An error, as the API shows it."""
    return JsonResponse({"detail": detail}, status=status)


def unauthenticated() -> JsonResponse:
    """The answer to whoever writes without the key."""
    response = problem(HTTPStatus.UNAUTHORIZED, "a valid key is needed")
    response.headers["WWW-Authenticate"] = 'ApiKey realm="rooms"'
    return response


def bad_request(_request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's answer to what it refuses itself, as JSON."""
    return problem(HTTPStatus.BAD_REQUEST, "bad request")


def not_found(_request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's answer to unknown URLs, as JSON."""
    return problem(HTTPStatus.NOT_FOUND, "not found")
