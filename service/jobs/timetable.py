"""Who works when, on one page. Every entry means 'do what is lacking': late or twice, the outcome is the same."""

from dataclasses import dataclass

from matching.terms import Words
from service.store.queue import EXPORT, HELD, MESSAGES, REHEARSE, SHADOW, TODAY


@dataclass(frozen=True)
class Entry:
    """A task and when it is called (cron; a sixth field would be seconds)."""

    task: str
    cron: str
    words: Words


TIMETABLE = (
    Entry(TODAY, "*/5 * * * *", Words("今天还缺什么就补什么", "do what today still lacks")),
    Entry(SHADOW, "*/10 * * * *", Words("给影子模型还缺的评分", "score what the shadow models still lack")),
    Entry(REHEARSE, "*/10 * * * *", Words("做还没做完的政策预演", "rehearse the policies that wait")),
    Entry(EXPORT, "*/10 * * * *", Words("做还没做完的导出", "make the exports that wait")),
    Entry(HELD, "* * * * *", Words("银行的反馈过了撤销时间后生效", "give banks' answers that can no longer be undone")),
    Entry(MESSAGES, "* * * * *", Words("发出等待外发的短信和邮件", "send the messages that wait to leave")),
    Entry("sweep", "* * * * *", Words("接手中断的任务", "take up jobs whose worker is gone")),
    Entry(
        "tidy",
        "40 18 * * *",
        Words(
            "清理一周前的任务、到期的导出、三十天没动的草稿、到期的扫码意向和半年前的外发消息",
            "remove jobs a week old, expired exports, drafts left for 30 days, names in enquiries past their time, "
            "messages sent half a year ago",
        ),
    ),
)
"""18:40 UTC is 02:40 in the city. The queue skips a call that is ten minutes late: the next one does the same work."""
