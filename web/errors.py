"""Pages for when something is not there, not yours, not possible or not working: what happened, and one way on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.app import problem as problem_details
from service.app import status_of, unstorable
from service.domain.errors import DomainError
from service.doors import MustChangePassword, NotSignedIn
from web import flash
from web.language import Phrase, gettext
from web.language import lazy as _
from web.refusals import said
from web.render import page

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]
SIGN_IN = "/sign-in"
OWN_PASSWORD = "/account/password"  # noqa: S105  an address


@dataclass(frozen=True)
class Problem:
    """What an error page says: the title, what it means for the person's work, and the one next act."""

    status: int
    title: Phrase
    meaning: Phrase | str
    action: Phrase
    address: str = "/"


HOME = _("回到首页")
PROBLEMS = {
    400: Problem(400, _("这个请求无法识别"), _("链接或表单不完整。您填写的内容没有提交。"), HOME),
    401: Problem(401, _("请先登录"), _("登录后会回到这个页面。"), _("去登录"), SIGN_IN),
    403: Problem(403, _("您没有这项权限"), _("当前身份不能办理这件事。如需办理，请换用有权限的身份登录。"), HOME),
    404: Problem(404, _("没有找到这个页面"), _("网址可能输错了，或这条内容不属于您。"), HOME),
    405: Problem(405, _("这个地址不能这样打开"), _("请从页面上的链接或按钮进入。"), HOME),
    409: Problem(
        409, _("情况刚刚有了变化"), _("别人或系统先一步处理了这件事，您的操作没有生效。请先看最新情况。"), HOME
    ),
    413: Problem(413, _("文件太大"), _("文件没有上传。请压缩后再试。"), HOME),
    422: Problem(422, _("这样办不了"), _("内容不符合要求，没有提交。请返回修改。"), HOME),
    429: Problem(429, _("操作太频繁"), _("为了安全，请等一分钟再试。您的内容没有丢失。"), HOME),
    500: Problem(
        500,
        _("系统出了问题"),
        _("已经记录下来，我们会检查。您刚才的操作可能没有完成，请稍后查看结果再决定是否重做。"),
        HOME,
    ),
    503: Problem(503, _("暂时无法办理"), _("所需的数据或服务暂时连不上。您的内容没有提交，请过几分钟再试。"), HOME),
}
OLD_FORM = Problem(
    403, _("这张表单已经失效"), _("登录状态变了，或页面打开得太久。没有提交任何内容：请重新打开页面，再填一次。"), HOME
)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, not a machine."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def to_sign_in(request: Request) -> Response:
    """To the door; whoever only wanted to read comes back here afterwards."""
    asked = f"{request.url.path}?{request.url.query}".rstrip("?")
    back = f"?{urlencode({'back': asked})}" if request.method == "GET" and asked != "/" else ""
    return flash.redirect(request, SIGN_IN + back)


def problem_page(request: Request, problem: Problem) -> Response:
    """The page of a problem, with a way back."""
    return page(request, "error.html", problem, status=problem.status)


def of_status(status: int) -> Problem:
    """The problem of a status; a rare one is told like its family."""
    return PROBLEMS.get(status) or (PROBLEMS[500] if status >= 500 else PROBLEMS[400])


def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    if isinstance(error, NotSignedIn):
        return to_sign_in(request)
    if isinstance(error, MustChangePassword):
        return flash.redirect(request, OWN_PASSWORD, said(error), "warning")
    usual = of_status(status_of(error).value)
    return problem_page(request, Problem(usual.status, usual.title, said(error), usual.action, usual.address))


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = OLD_FORM if error.detail == "form_token" else of_status(error.status_code)
    answer = problem_page(request, problem)
    answer.status_code = error.status_code
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _on_unreadable(request: Request, _error: Exception) -> Response:
    return problem_page(request, PROBLEMS[422 if request.method == "POST" else 404])


def _on_unstorable(request: Request, error: Exception) -> Response:
    unstorable(request, error)  # writes the operator's line
    return _on_unreadable(request, error)


def _on_lost_database(request: Request, _error: Exception) -> Response:
    return problem_page(request, PROBLEMS[503])


OURS: dict[type[Exception], Handler] = {
    DomainError: _on_domain_error,
    HTTPException: _on_http,
    RequestValidationError: _on_unreadable,
    DataError: _on_unstorable,
    OperationalError: _on_lost_database,
    PoolTimeout: _on_lost_database,
}


def install(app: FastAPI) -> None:
    """Answer people with pages; machines keep the answers the service gives them."""
    for kind, ours in OURS.items():
        theirs = app.exception_handlers.get(kind)
        app.add_exception_handler(kind, _for_people(ours, theirs) if theirs else ours)


def _for_people(ours: Handler, theirs: Handler) -> Handler:
    async def choose(request: Request, error: Exception) -> Response:
        answer = (ours if wants_page(request) else theirs)(request, error)
        return await answer if isinstance(answer, Awaitable) else answer

    return choose


class LastResort:
    """ASGI layer: what nobody expected becomes a page that says so. The layer below has written it to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        has_started = False

        async def watching_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, watching_send)
        except Exception:
            if has_started:
                raise
            await _fault(Request(scope))(scope, receive, send)


def _fault(request: Request) -> Response:
    if wants_page(request):
        return problem_page(request, PROBLEMS[500])
    return problem_details(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", gettext("系统出了问题"))
