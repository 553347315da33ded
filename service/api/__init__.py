"""JSON under /api/v1, by the people whose machines use it; it calls the same actions as the pages."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
