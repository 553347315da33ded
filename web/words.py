"""Every coded word a person sees, by group: lights, states, reasons, roles, kinds. Codes come from below.

Departments' items, regions, industries, criteria and features own their words in both languages where they are defined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from service.domain.standards.industries import DIVISIONS, SECTIONS
from service.domain.standards.regions import REGIONS
from web.language import SOURCE, Phrase, gettext, spoken
from web.language import lazy as _

log = structlog.get_logger(__name__)

MARKS = {"green": "●", "yellow": "▲", "red": "■"}
"""A light's shape: it reads without colour, on paper and by voice the word beside it does."""
DRIFT_MARKS = {"stable": "●", "watch": "▲", "moved": "■"}

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
    "figure_part": {
        "new": _("首次（户数）"),
        "credit": _("信用贷款"),
        "first": _("首贷"),
        "renewal": _("无还本续贷"),
    },
    "urging_ground": {
        "overdue": _("逾期未办"),
        "silent": _("沉默不反馈"),
        "late": _("首次联系超时"),
        "disputed": _("企业说未联系"),
    },
    "urging_state": {
        "sent": _("已发出"),
        "read": _("银行已阅"),
        "answered": _("银行已回复"),
        "closed": _("已办结"),
        "escalated": _("已升级"),
        "withdrawn": _("已撤回"),
    },
    "urging_end": {"closed": _("办结：回复可以接受"), "escalated": _("升级：交上级或监管部门处理")},
    "paper_kind": {"pdf": _("PDF 文件"), "jpg": _("JPG 图片"), "png": _("PNG 图片"), "none": _("没有，已说明原因")},
    "list_cause": {
        "morning": _("晨间清单"),
        "refusal": _("未通过后补推"),
        "silence": _("逾期后补推"),
        "consent": _("新授权补推"),
        "room": _("空出名额补推"),
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
    "works": {"working": _("上班"), "free": _("休息"), "week": _("按周历：周一至周五上班，周末休息")},
    "noun": {
        "demand": _("需求"),
        "light": _("信灯"),
        "review": _("复核"),
        "override": _("改判"),
        "follow_up": _("跟进"),
        "consent": _("授权"),
        "push_list": _("推送清单"),
        "push_line": _("推送项"),
        "paper": _("补交的资料"),
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
        "promotion": _("启用提议"),
        "urging": _("督办"),
        "rehearsal": _("政策预演"),
        "run": _("运行"),
        "cycle": _("每日流程"),
        "job": _("任务"),
        "trail": _("留痕"),
    },
    "job_status": {
        "todo": _("等待"),
        "doing": _("进行中"),
        "succeeded": _("已完成"),
        "failed": _("失败"),
        "stalled": _("中断"),
        "cancelled": _("已取消"),
        "aborting": _("正在停止"),
        "aborted": _("已停止"),
    },
    "cycle_step": {
        "calendar": _("补算时限"),
        "judge": _("评判"),
        "expire": _("到期"),
        "lapse": _("报价过期"),
        "silence": _("逾期"),
        "push": _("匹配和推送"),
        "remind": _("提醒"),
        "pace": _("统计各行办理"),
    },
    "accelerator": {"redis": _("已连接"), "process": _("未配置"), "away": _("连接不上")},
    "measure": {
        "auc": _("区分能力（AUC）"),
        "ks": _("最大分离度（KS）"),
        "average_precision": _("平均精度（AP）"),
        "brier": _("概率误差（Brier）"),
        "brier_skill": _("比只猜平均值好多少"),
        "log_loss": _("对数损失"),
        "predicted": _("平均预测违约率"),
        "observed": _("实际违约率"),
        "ece": _("校准误差（ECE）"),
        "slope": _("校准斜率"),
    },
    "measure_meaning": {
        "auc": _("随机取一户违约、一户未违约，模型给前者更高风险的机会；0.5 等于瞎猜。"),
        "ks": _("违约与未违约两组分数分布的最大距离。"),
        "average_precision": _("按风险从高到低查，查中率的平均；应高于实际违约率。"),
        "brier": _("预测概率与结果之差的平方，越小越好。"),
        "brier_skill": _("0 表示不比猜平均值好，1 表示完全准确。"),
        "log_loss": _("对错得离谱的预测罚得重，越小越好。"),
        "predicted": _("检验样本上预测概率的平均。"),
        "observed": _("检验样本上真实违约的占比。"),
        "ece": _("分十组，预测与实际之差的平均，越小越好。"),
        "slope": _("1 表示不过分也不过于保守。"),
    },
    "protocol": {
        "out_of_time": _("用较早的贷款训练，用较晚的贷款检验"),
        "cross_validated": _("重复嵌套交叉验证（样本少，未做跨时间检验）"),
    },
    "model_kind": {
        "scorecard": _("评分卡"),
        "trees": _("提升树（LightGBM）"),
        "blend": _("提升树与评分卡的混合"),
        "unknown": _("未登记"),
    },
    "model_state": {"in_use": _("在用"), "shadow": _("影子"), "candidate": _("候选"), "retired": _("停用")},
    "model_state_meaning": {
        "in_use": _("平台现在用它评估每一笔需求。"),
        "shadow": _("对同样的需求另行评分，不影响任何信灯。"),
        "candidate": _("训练好了，还没有用过。"),
        "retired": _("用过，现已停用；用它作出的评估仍由它解释。"),
    },
    "promotion_state": {
        "waiting": _("等第二个人确认"),
        "confirmed": _("已确认"),
        "withdrawn": _("已撤回"),
        "expired": _("已过期"),
    },
    "outcome_verdict": {"better": _("影子更好"), "worse": _("影子更差"), "even": _("看不出差别")},
    "drift_state": {"stable": _("稳定"), "watch": _("留意"), "moved": _("明显移动")},
    "calibration": {"platt": _("Platt 校准"), "isotonic": _("保序校准")},
    "slice": {
        "all": _("全部"),
        "train": _("训练"),
        "test": _("检验"),
        "calibrate": _("校准"),
    },
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
        "chance_too_low": _("其余银行接受的可能太小"),
        "no_product_fits": _("暂无合适产品"),
        "consent_needed": _("需要企业授权"),
    },
    "run_state": {
        "waiting": _("排队中"),
        "running": _("进行中"),
        "done": _("已完成"),
        "failed": _("失败"),
        "cancelled": _("已取消"),
    },
    "rehearsal_state": {
        "waiting": _("排队中"),
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
        "demand_pushed": _("需求已推送给银行"),
        "demand_reviewed": _("复核有了结果"),
        "consent_proposed": _("有银行适合您，等您授权"),
        "no_bank_left": _("暂无可推送的银行"),
        "chance_too_low": _("其余银行接受的可能太小，暂不推送"),
        "due_soon": _("时限快到了"),
        "offer_lapsed": _("报价已过期"),
        "demand_expired": _("需求已过期"),
        "demand_expires": _("需求即将过期"),
        "light_changed": _("信用灯有变化"),
        "light_overridden": _("信用灯经人工改判"),
        "list_published": _("今日清单已发布"),
        "urging_sent": _("收到督办"),
        "urging_closed": _("督办已办结"),
        "urging_escalated": _("督办已升级"),
        "urging_withdrawn": _("督办已撤回"),
        "papers_overdue": _("补资料已逾期"),
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
        "line_corrected": _("银行更正了授信"),
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
        "paper_added": _("上传资料"),
        "paper_removed": _("删除资料"),
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
        "printed": _("打印信用报告"),
        "note": _("跟进记录"),
        "urged": _("督办银行"),
        "urging_read": _("阅看督办"),
        "urging_answered": _("回复督办"),
        "urging_closed": _("办结督办"),
        "urging_escalated": _("升级督办"),
        "urging_withdrawn": _("撤回督办"),
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
        "paused": _("暂停每日流程"),
        "resumed": _("恢复每日流程"),
        "verified": _("核验留痕"),
        "signed_in": _("登录"),
        "added": _("添加用户"),
        "admitted": _("银行入驻"),
        "take": _("接收报送"),
        "set": _("修改日历"),
        "uses": _("启用模型"),
        "registered": _("登记模型"),
        "retired": _("停用模型"),
        "shadowed": _("开始影子评分"),
        "unshadowed": _("停止影子评分"),
        "proposed": _("提议启用模型"),
        "confirmed": _("确认启用模型"),
        "proposal_withdrawn": _("撤回启用提议"),
        "proposal_expired": _("启用提议过期"),
        "rehearsed": _("预演结束"),
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


TO_THE_FIRM: Mapping[str, Mapping[str, Phrase]] = {
    "actor": {"firm": _("您")},
    "next_step": {
        "contact": _("银行与您联系"),
        "papers": _("交齐银行要的资料"),
        "offer": _("比较报价并答复"),
        "draw": _("提款"),
        "repay": _("按期还款"),
    },
}
"""Where a firm reads of itself, it is spoken to."""


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


def many(group: str, codes: Iterable[object]) -> str:
    """The words of several codes in one line."""
    return gettext("、").join(of(group, code) for code in codes)


def to_the_firm(group: str, code: object) -> str:
    """The word of a code as the firm itself reads it."""
    phrase = TO_THE_FIRM[group].get(str(code))
    return of(group, code) if phrase is None else str(phrase)


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
