"""The URLs of the API, and its errors as JSON."""

from bookings import views
from django.urls import path

urlpatterns = [
    path("api/rooms", views.RoomsView.as_view()),
    path("api/rooms/<int:room_id>", views.RoomView.as_view()),
    path("api/rooms/<int:room_id>/bookings", views.RoomBookingsView.as_view()),
    path("api/bookings/<int:booking_id>", views.BookingView.as_view()),
]

handler400 = "bookings.views.bad_request"
handler404 = "bookings.views.not_found"
