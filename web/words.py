"""Every coded word a person sees, by group: lights, states, reasons, roles, kinds. Codes come from below.

Departments' items, regions, industries, criteria and features own their words in both languages where they are defined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from service.domain.standards.industries import DIVISIONS, SECTIONS
from service.domain.standards.regions import REGIONS
from web.language import SOURCE, Phrase, spoken
from web.language import lazy as _

log = structlog.get_logger(__name__)

MARKS = {"green": "●", "yellow": "▲", "red": "■"}
"""A light's shape: it reads without colour, on paper and by voice the word beside it does."""

GROUPS: Mapping[str, Mapping[str, Phrase]] = {
    "light": {"green": _("绿灯"), "yellow": _("黄灯"), "red": _("红灯")},
    "light_path": {"green": _("快速授信"), "yellow": _("二次撮合"), "red": _("持续跟踪")},
    "light_meaning": {
        "green": _("条件符合，至少有一家银行的产品适合，已进入快速通道。"),
        "yellow": _("还需要再匹配：换银行、换产品、加担保，或先补一项资料。"),
        "red": _("有一项障碍需要先解决。有专人跟踪，情况一变就重新评判。"),
    },
    "light_reason": {
        "judged": _("系统评判"),
        "no_product_fits": _("暂无合适产品"),
        "consent_needed": _("等待企业授权"),
        "refused": _("银行未通过"),
        "silent": _("银行逾期未反馈"),
        "matched_again": _("已重新匹配"),
        "overridden": _("人工调整"),
        "fact_changed": _("数据有变化"),
        "policy_changed": _("政策有变化"),
        "no_bank_left": _("暂无可推送的银行"),
    },
    "demand_state": {
        "reported": _("已申报"),
        "recommended": _("已推荐"),
        "pushed": _("已推送银行"),
        "answered": _("银行已反馈"),
        "offered": _("已有报价"),
        "accepted": _("已选定银行"),
        "granted": _("已授信"),
        "drawn": _("已放款"),
        "repaid": _("已结清"),
        "withdrawn": _("已撤回"),
        "expired": _("已过期"),
    },
    "demand_state_meaning": {
        "reported": _("已收到。下面写明还差什么、由谁办、到哪一天。"),
        "recommended": _("已列入推荐清单，平台每天为它寻找合适的银行。"),
        "pushed": _("已推送给银行，银行须在时限内联系您。"),
        "answered": _("银行正在办理，有新的反馈会马上告诉您。"),
        "offered": _("有银行给出了报价，请在有效期内比较并选择一家。"),
        "accepted": _("您已选定银行，银行正在办理授信。"),
        "granted": _("银行已授信，可以按约定用款。"),
        "drawn": _("贷款已发放，请按期还款。"),
        "repaid": _("贷款已结清。"),
        "withdrawn": _("您已撤回这笔需求。"),
        "expired": _("长时间没有您的消息，这笔需求已过期，可以一步重新申报。"),
    },
    "line_state": {
        "pushed": _("待接收"),
        "received": _("已接收"),
        "contacted": _("已联系"),
        "needs_papers": _("待补资料"),
        "offered": _("已报价"),
        "accepted": _("企业已接受"),
        "granted": _("已授信"),
        "drawn": _("已放款"),
        "refused": _("未通过"),
        "silent": _("逾期未反馈"),
        "withdrawn": _("企业已撤回"),
        "passed_over": _("企业选择了其他银行"),
    },
    "answer_kind": {
        "received": _("已接收"),
        "contacted": _("已联系企业"),
        "needs_papers": _("需要补充资料"),
        "extension": _("申请延期"),
        "offered": _("报价"),
        "refused": _("不予通过"),
    },
    "refusal_reason": {
        "trading_too_short": _("经营时间不足"),
        "cash_flow": _("经营流水不足"),
        "debt_too_high": _("负债过高"),
        "credit_record": _("征信记录不符合要求"),
        "tax_record": _("纳税记录不符合要求"),
        "court_record": _("有未结涉诉或执行"),
        "security_lacking": _("缺少有效担保"),
        "industry": _("行业不在准入范围"),
        "region": _("区域不在服务范围"),
        "amount_too_high": _("申请金额过高"),
        "term_too_long": _("申请期限过长"),
        "use_unclear": _("用途不明确"),
        "papers_lacking": _("资料不齐"),
        "not_reached": _("联系不上企业"),
        "firm_not_interested": _("企业暂无意愿"),
        "no_funds": _("额度已用完"),
        "other": _("其他"),
    },
    "offer_state": {
        "open": _("待企业选择"),
        "accepted": _("已接受"),
        "lapsed": _("已过有效期"),
        "taken_back": _("银行已撤回"),
        "replaced": _("已被新报价替代"),
        "passed_over": _("企业选择了其他银行"),
    },
    "loan_type": {
        "credit": _("信用"),
        "mortgage": _("抵押"),
        "pledge": _("质押"),
        "guarantee": _("保证"),
    },
    "use_of_loan": {
        "working_capital": _("日常经营周转"),
        "equipment": _("购置设备"),
        "premises": _("购建或装修经营场所"),
        "trade": _("进货和贸易"),
        "research": _("研发"),
        "agriculture": _("农业生产"),
        "renewal": _("续贷"),
        "other": _("其他经营用途"),
        "securities": _("买卖股票等证券"),
        "property_speculation": _("炒房"),
        "relending": _("转借他人"),
    },
    "channel": {
        "web": _("网页"),
        "qr": _("扫码"),
        "outlet": _("银行网点"),
        "visit": _("走访"),
        "api": _("接口"),
    },
    "actor": {
        "firm": _("企业"),
        "bank": _("银行"),
        "district": _("区县专班"),
        "platform": _("平台"),
        "nobody": _("无需处理"),
    },
    "role": {
        "firm": _("企业"),
        "officer": _("银行客户经理"),
        "bank_admin": _("银行管理员"),
        "district": _("区县专班"),
        "city": _("市级管理"),
        "operator": _("运维"),
        "system": _("平台"),
        "door": _("登录入口"),
    },
    "bank_kind": {
        "state": _("国有大型银行"),
        "joint_stock": _("股份制银行"),
        "city": _("城市商业银行"),
        "rural": _("农村商业银行"),
        "village": _("村镇银行"),
        "guarantee": _("担保机构"),
    },
    "purpose": {"profile": _("生成企业画像和评估"), "credit_review": _("供一家银行审查贷款")},
    "data_class": {"public": _("公开数据"), "shared": _("部门共享数据"), "authorised": _("授权后使用的数据")},
    "firm_kind": {
        "enterprise": _("企业"),
        "individual": _("个体工商户"),
        "cooperative": _("农民专业合作社"),
        "village": _("农村集体经济组织"),
    },
    "firm_status": {
        "active": _("存续"),
        "cancelled": _("注销"),
        "revoked": _("吊销"),
        "moved": _("迁出"),
        "unknown": _("未知"),
    },
    "size_class": {
        "large": _("大型"),
        "medium": _("中型"),
        "small": _("小型"),
        "micro": _("微型"),
        "unclassified": _("未划型"),
        "outside": _("标准外"),
    },
    "code_state": {
        "valid": _("有效"),
        "wrong_check": _("校验位不符"),
        "bad_format": _("格式不对"),
    },
    "figure_kind": {
        "reported": _("申报"),
        "recommended": _("推荐"),
        "granted": _("授信"),
        "drawn": _("放款"),
    },
    "list_cause": {
        "morning": _("晨间清单"),
        "refusal": _("未通过后补推"),
        "silence": _("逾期后补推"),
        "consent": _("新授权补推"),
    },
    "verdict_cause": {
        "reported": _("申报时评判"),
        "edited": _("修改后评判"),
        "fact_changed": _("数据变化后评判"),
        "policy_changed": _("政策变化后评判"),
        "cycle": _("每日评判"),
        "asked": _("应企业要求评判"),
    },
    "review_cause": {
        "policy": _("按政策复核"),
        "asked": _("企业申请人工复核"),
        "confirmed": _("工作人员主动复核"),
    },
    "review_mode": {"automatic": _("自动推荐"), "sampled": _("抽查"), "full": _("逐笔复核")},
    "works": {"working": _("上班"), "free": _("休息")},
    "noun": {
        "demand": _("需求"),
        "light": _("信灯"),
        "review": _("复核"),
        "override": _("改判"),
        "follow_up": _("跟进"),
        "consent": _("授权"),
        "push_list": _("推送清单"),
        "push_line": _("推送项"),
        "credit_grant": _("授信"),
        "drawdown": _("放款"),
        "product": _("产品"),
        "firm": _("企业"),
        "bank": _("银行"),
        "person": _("用户"),
        "api_key": _("接口密钥"),
        "feed": _("报送"),
        "calendar": _("日历"),
        "model": _("模型"),
        "run": _("运行"),
        "job": _("任务"),
        "trail": _("留痕"),
    },
    "job_status": {
        "todo": _("等待"),
        "doing": _("进行中"),
        "succeeded": _("已完成"),
        "failed": _("失败"),
        "cancelled": _("已取消"),
        "aborting": _("正在停止"),
        "aborted": _("已停止"),
    },
    "task": {"today": _("今天还缺什么就补什么"), "sweep": _("接手中断的任务"), "tidy": _("清理旧任务")},
    "outcome": {
        "resolved": _("障碍已解决"),
        "handed_over": _("已移交其他单位"),
        "not_solvable": _("目前无法解决"),
        "no_longer_needed": _("企业不再需要"),
        "pushed": _("已推送银行"),
        "replaced": _("由新的事项替代"),
        "demand_withdrawn": _("需求已撤回"),
        "demand_expired": _("需求已过期"),
    },
    "sure": {"document": _("有文件依据"), "practice": _("通行做法"), "assumption": _("本项目设定")},
    "review_decision": {"recommended": _("同意推荐"), "returned": _("退回"), "noted": _("已阅")},
    "due_step": {
        "contact": _("联系企业"),
        "decision": _("作出决定"),
        "papers": _("企业补资料"),
        "offer": _("企业答复报价"),
        "grant": _("办理授信"),
        "none": _("无时限"),
    },
    "obstacle": {
        "no_bank_left": _("暂无可推送的银行"),
        "no_product_fits": _("暂无合适产品"),
        "consent_needed": _("需要企业授权"),
    },
    "run_state": {
        "running": _("进行中"),
        "done": _("已完成"),
        "failed": _("失败"),
        "cancelled": _("已取消"),
    },
    "next_step": {
        "judge": _("系统评判"),
        "push": _("推送给合适的银行"),
        "review": _("区县专班复核"),
        "follow_up": _("解决障碍"),
        "contact": _("银行与企业联系"),
        "decision": _("银行作出决定"),
        "papers": _("企业补充资料"),
        "offer": _("企业答复报价"),
        "grant": _("银行办理授信"),
        "draw": _("企业提款"),
        "repay": _("企业按期还款"),
        "none": _("已办结"),
    },
    "repayment": {
        "monthly_interest": _("按月付息，到期还本"),
        "equal_instalments": _("等额本息"),
        "at_maturity": _("到期一次还本付息"),
    },
    "feed_state": {"taken": _("已接收"), "failed": _("未能读取")},
    "reason": {
        "missing_required": _("缺少必填项"),
        "bad_type": _("类型不对"),
        "bad_date": _("日期不对"),
        "future_date": _("日期晚于今天"),
        "bad_amount": _("金额不对"),
        "out_of_range": _("超出范围"),
        "unknown_choice": _("不在选项内"),
        "bad_uscc_format": _("信用代码格式不对"),
        "too_long": _("内容过长"),
        "wrong_column_count": _("列数不对"),
        "duplicate_in_file": _("文件内重复"),
    },
    "notice": {
        "demand_reported": _("需求已收到"),
        "demand_withdrawn": _("需求已撤回"),
        "demand_expired": _("需求已过期"),
        "demand_expires": _("需求即将过期"),
        "light_changed": _("信用灯有变化"),
        "review_opened": _("有一笔需求等待复核"),
        "offer_accepted": _("企业接受了报价"),
        "papers_given": _("企业已补资料"),
        "contact_disputed": _("企业说没有银行联系过"),
        "consent_withdrawn": _("企业撤回了授权"),
        "line_received": _("银行已接收"),
        "line_contacted": _("银行已联系您"),
        "line_needs_papers": _("银行需要补充资料"),
        "line_extension": _("银行申请延期"),
        "line_offered": _("银行给出报价"),
        "line_accepted": _("企业接受了报价"),
        "line_granted": _("银行已授信"),
        "line_drawn": _("银行已放款"),
        "line_refused": _("银行未通过"),
        "line_silent": _("银行逾期未反馈"),
        "line_withdrawn": _("企业已撤回"),
        "line_passed_over": _("企业选择了其他银行"),
    },
    "freshness": {"fresh": _("最新"), "stale": _("过期"), "missing": _("未收到")},
    "verb": {
        "report": _("申报需求"),
        "reported": _("申报时评判"),
        "edit": _("修改需求"),
        "edited": _("修改后评判"),
        "confirm": _("确认仍需融资"),
        "name_banks": _("增加银行"),
        "banks_named": _("增加银行"),
        "warn": _("提醒即将到期"),
        "expire": _("需求到期"),
        "withdraw": _("撤回"),
        "give": _("授权"),
        "consent_withdrawn": _("撤回授权"),
        "judged": _("评判"),
        "cycle": _("每日评判"),
        "fact_changed": _("数据变化后评判"),
        "asked": _("申请人工复核"),
        "open": _("开始跟进"),
        "close": _("结束跟进"),
        "return": _("退回复核"),
        "decide": _("复核决定"),
        "reviewed": _("复核后更新"),
        "recommend": _("列入推荐清单"),
        "override": _("人工改判"),
        "pushed": _("推送给银行"),
        "published": _("发布清单"),
        "received": _("银行接收"),
        "contacted": _("银行联系"),
        "needs_papers": _("银行要求补充资料"),
        "extension": _("银行申请延期"),
        "offered": _("银行报价"),
        "refused": _("银行不予通过"),
        "answered": _("银行反馈"),
        "silent": _("逾期未反馈"),
        "papers_given": _("资料补齐"),
        "contact_disputed": _("反映没有联系"),
        "accepted": _("接受报价"),
        "chose_another": _("选择了其他银行"),
        "offer_declined": _("谢绝报价"),
        "lapsed": _("报价过期"),
        "granted": _("授信"),
        "drawn": _("放款"),
        "repaid": _("结清"),
        "credit_reported": _("报送授信"),
        "grant_voided": _("更正授信"),
        "drawdown_voided": _("更正放款"),
        "drawdown_corrected": _("更正放款"),
        "looked": _("查看"),
        "note": _("跟进记录"),
        "assign": _("改派"),
        "issued": _("生成接口密钥"),
        "revoked": _("停用接口密钥"),
        "corrected": _("更正反馈"),
        "grant_corrected": _("更正授信"),
        "changed": _("修改产品"),
        "papers_overdue": _("补资料逾期"),
        "calendar_published": _("日历公布后补算"),
        "retried": _("重新执行任务"),
        "asked_for": _("要求立即运行"),
        "stopped": _("要求停止"),
        "verified": _("核验留痕"),
        "signed_in": _("登录"),
        "added": _("添加用户"),
        "admitted": _("银行入驻"),
        "take": _("接收报送"),
        "set": _("修改日历"),
        "uses": _("启用模型"),
        "entered": _("登记"),
        "ended": _("停用"),
    },
    "first_loan": {"yes": _("是首贷"), "no": _("不是首贷"), "unknown": _("由平台按记录判断")},
    "premises": {"owned": _("自有"), "rented": _("租赁"), "online": _("网络经营"), "none": _("无固定场所")},
    "tax_grade": {
        "A": _("A 级"),
        "B": _("B 级"),
        "M": _("M 级（新设）"),
        "unrated": _("未评级"),
        "C": _("C 级"),
        "D": _("D 级"),
    },
    "source": {"demand": _("企业申报"), "estimate": _("平台评估"), "policy": _("政策")},
    "finding_state": {"known": _("已核实"), "missing": _("缺少数据"), "stale": _("数据过期")},
}


@dataclass(frozen=True)
class Option:
    """One choice of a select, radio or checkbox field."""

    value: str
    label: str
    hint: str = ""


def of(group: str, code: object) -> str:
    """The word of a code. An unknown code shows as itself and is logged: a page never falls over a new code."""
    phrase = GROUPS[group].get(str(code))
    if phrase is None:
        log.warning("word_missing", group=group, code=str(code))
        return str(code)
    return str(phrase)


def options(group: str, codes: Iterable[object] | None = None) -> list[Option]:
    """Choices for a form field, in the order given; all of the group where none are."""
    return [Option(str(code), of(group, code)) for code in (GROUPS[group] if codes is None else codes)]


def district(code: str) -> str:
    """The name of a reporting area."""
    region = REGIONS.get(code)
    return code if region is None else (region.zh if spoken() == SOURCE else region.en)


def districts() -> list[Option]:
    """All reporting areas as choices."""
    return [Option(code, district(code)) for code in REGIONS]


def industry(code: str) -> str:
    """The name of an industry: of its division, or its section where only a letter is given."""
    found = DIVISIONS.get(code[:3]) or SECTIONS.get(code[:1])
    return code if found is None else (found.zh if spoken() == SOURCE else found.en)
