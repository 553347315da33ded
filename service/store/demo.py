"""What the demo's driver looks at between the acts of its banks, firms and district teams."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

ENTER_REGISTERED = text("""
    INSERT INTO registered_firm (uscc, registered_on, real_named_on)
    SELECT f.uscc, here.since, CASE WHEN here.lot % 10 < 9 THEN here.since END
    FROM firm f LEFT JOIN (SELECT uscc, min(reported_on) AS first_on FROM demand GROUP BY uscc) d USING (uscc)
    CROSS JOIN LATERAL (SELECT abs(hashtext(f.uscc)::bigint) AS lot) l
    CROSS JOIN LATERAL (SELECT l.lot, coalesce(d.first_on - 1, s.demo_on - (l.lot % 300)::int) AS since
                        FROM platform_state s) here
    WHERE d.uscc IS NOT NULL OR l.lot % 5 = 0
    ON CONFLICT (uscc) DO NOTHING
""")
FIRMS_FOR_DEPUTIES = text("""
    (SELECT m.uscc, f.name, f.kind FROM membership m JOIN firm f ON f.uscc = m.uscc
     WHERE m.role = 'firm' ORDER BY m.id LIMIT 1)
    UNION ALL
    (SELECT f.uscc, f.name, f.kind FROM firm f WHERE f.district = '410105' AND f.status = 'active'
     AND NOT EXISTS (SELECT 1 FROM registered_firm g WHERE g.uscc = f.uscc) ORDER BY f.uscc LIMIT 1)
""")
NEW_LINES = text("""
    SELECT l.id, l.demand_id, l.bank_id, l.product_id, l.uscc, l.pushed_on, d.amount_fen, d.term_months, d.guarantees,
           p.rate_min, p.rate_max, p.loan_types, p.amount_max_fen, f.industry
    FROM push_line l JOIN demand d ON d.id = l.demand_id JOIN product p ON p.id = l.product_id
    JOIN firm f ON f.uscc = l.uscc
    WHERE l.id > :after AND l.closed_on IS NULL ORDER BY l.id
""")
OPEN_OFFERS = text("""
    SELECT o.id, o.demand_id, o.line_id, o.bank_id, o.all_in_rate, o.offered_at, d.uscc, d.rate_ceiling
    FROM offer o JOIN demand d ON d.id = o.demand_id WHERE o.state = 'open' ORDER BY o.demand_id, o.all_in_rate, o.id
""")
ACCEPTED = text("""
    SELECT o.line_id, o.bank_id, o.amount_fen, o.rate, o.term_months, o.loan_type, o.decided_at, d.use,
           d.wants_renewal_without_repayment
    FROM offer o JOIN push_line l ON l.id = o.line_id JOIN demand d ON d.id = o.demand_id
    WHERE o.state = 'accepted' AND l.state = 'accepted' ORDER BY o.line_id
""")
UNDRAWN = text("""
    SELECT g.id, g.line_id, g.bank_id, g.amount_fen, g.rate, g.term_months, g.granted_on, o.decided_at
    FROM credit_grant g JOIN offer o ON o.line_id = g.line_id AND o.state = 'accepted'
    WHERE g.voided_at IS NULL AND NOT EXISTS (SELECT 1 FROM drawdown w WHERE w.grant_id = g.id) ORDER BY g.id
""")
WAITING_FOR_DISTRICT = text("""
    SELECT d.id, d.district, d.uscc, d.light, r.id AS review_id,
        EXISTS (SELECT 1 FROM verdict v, jsonb_array_elements(v.findings) f
                WHERE v.id = d.verdict_id AND f->>'light' = 'red') AS has_failed
    FROM demand d LEFT JOIN review r ON r.demand_id = d.id AND r.decided_at IS NULL
    WHERE d.state = 'reported' AND d.light IS DISTINCT FROM 'red' AND d.reported_on < :today
    ORDER BY d.district, r.id NULLS LAST, d.id
""")
PROPOSALS = text("""
    SELECT n.demand_id, d.uscc, (array_agg(n.values->'banks' ORDER BY n.id DESC))[1] AS banks, count(*) - 1 AS times
    FROM notice n JOIN demand d ON d.id = n.demand_id
    WHERE n.kind = 'consent_proposed' AND d.closed_on IS NULL
    GROUP BY n.demand_id, d.uscc HAVING max(n.made_on) = :today ORDER BY n.demand_id
""")
OPEN_LINES = text("SELECT id, demand_id FROM push_line WHERE closed_on IS NULL AND NOT view_closed")
IN_THE_MIDDLE = text("""
    SELECT id, uscc, reported_on FROM demand WHERE closed_on IS NULL
      AND state IN ('reported', 'recommended', 'pushed', 'answered', 'offered') ORDER BY id
""")
DUE_FOLLOW_UPS = text("""
    SELECT u.id, u.district, u.demand_id FROM follow_up u JOIN demand d ON d.id = u.demand_id
    WHERE u.closed_on IS NULL AND u.next_on <= :today AND u.owner = 'district' AND d.closed_on IS NULL
    ORDER BY u.district, u.next_on, u.id
""")
ASKED_FOR_PAPERS = text("""
    SELECT id, demand_id, uscc, bank_id, papers_asked_on FROM push_line
    WHERE state = 'needs_papers' AND closed_on IS NULL ORDER BY id
""")
HANDED_IN = text("""
    SELECT a.id, a.line_id, a.papers, l.demand_id, l.uscc, l.bank_id, t.at AS given_at
    FROM trail t JOIN push_line l ON l.id = t.noun_id
    JOIN LATERAL (SELECT * FROM answer WHERE line_id = l.id AND kind = 'needs_papers'
                  ORDER BY id DESC LIMIT 1) a ON true
    WHERE t.noun = 'push_line' AND t.verb = 'papers_given' ORDER BY t.id DESC LIMIT :most
""")
CONTESTABLE = text("""
    SELECT id, uscc, item, district FROM (
        SELECT r.id, r.uscc, r.item, f.district,
               row_number() OVER (PARTITION BY f.district ORDER BY f.last_demand DESC, r.id) AS place
        FROM (SELECT uscc, district, max(id) AS last_demand FROM demand WHERE closed_on IS NULL GROUP BY 1, 2) f
        JOIN LATERAL (SELECT id, uscc, item FROM record WHERE uscc = f.uscc AND item = ANY (:items)
                      AND superseded_on IS NULL AND withdrawn_on IS NULL AND (ends_on IS NULL OR ends_on > :today)
                      AND known_on <= :known_on ORDER BY item, id LIMIT 1) r ON true) found
    WHERE place <= 3 ORDER BY district, place
""")
FUNNEL = text("""
    SELECT kind, sum(sign)::bigint AS events, sum(sign * amount_fen)::bigint AS amount_fen,
        count(DISTINCT uscc) FILTER (WHERE is_new_household) AS households,
        coalesce(sum(sign * amount_fen) FILTER (WHERE loan_type = 'credit'), 0)::bigint AS credit_fen,
        coalesce(sum(sign * amount_fen) FILTER (WHERE is_first_loan), 0)::bigint AS first_fen,
        coalesce(sum(sign * amount_fen) FILTER (WHERE is_renewal_without_repayment), 0)::bigint AS renewal_fen,
        sum(sign * amount_fen * rate) AS rate_times_fen
    FROM figure_event GROUP BY kind
""")
LIGHTS = text("SELECT coalesce(light, '') AS word, count(*) AS demands FROM demand GROUP BY 1 ORDER BY 1")
STATES = text("SELECT state AS word, count(*) AS demands FROM demand GROUP BY 1 ORDER BY 1")
LINE_STATES = text("SELECT state AS word, count(*) AS demands FROM push_line GROUP BY 1 ORDER BY 1")
FEEDS = text("""
    SELECT count(*) AS files, sum(received)::bigint AS received, sum(valid)::bigint AS valid,
        sum(duplicates)::bigint AS duplicates, sum(quarantined)::bigint AS quarantined,
        sum(corrected)::bigint AS corrected, count(*) FILTER (WHERE state = 'failed') AS failed FROM feed
""")
INVOICES = text("""
    SELECT code, status, CASE WHEN amount_fen > 0 THEN 'positive' WHEN amount_fen < 0 THEN 'negative' ELSE 'zero' END
        AS sign, count(*) AS invoices, sum(amount_fen) AS fen
    FROM record WHERE item = 'invoice' AND superseded_on IS NULL GROUP BY 1, 2, 3
""")
LIST = text("""
    SELECT s.id, s.lines, s.amount_fen, s.content_hash, c.is_valid, c.body, p.quota_fen, p.reserved_fen
    FROM push_list s JOIN certificate c ON c.id = s.certificate_id JOIN product p ON p.bank_id = s.bank_id
    ORDER BY s.id LIMIT 1
""")
REPORTED = text("SELECT count(*) FILTER (WHERE is_recommended) AS recommended, count(*) AS demands FROM verdict")
WORTH_A_LOOK = text("""
    (SELECT 'offers' AS what, f.name, d.uscc FROM offer o JOIN demand d ON d.id = o.demand_id
     JOIN firm f ON f.uscc = d.uscc WHERE o.state = 'open' AND d.closed_on IS NULL
     GROUP BY d.id, f.name, d.uscc ORDER BY count(*) DESC, d.id LIMIT 1)
    UNION ALL
    (SELECT 'red', f.name, d.uscc FROM demand d JOIN firm f ON f.uscc = d.uscc
     WHERE d.light = 'red' AND d.closed_on IS NULL ORDER BY d.id DESC LIMIT 1)
    UNION ALL
    (SELECT 'drawn', f.name, d.uscc FROM demand d JOIN firm f ON f.uscc = d.uscc
     WHERE d.state = 'drawn' ORDER BY d.id DESC LIMIT 1)
    UNION ALL
    (SELECT 'papers', f.name, l.uscc FROM push_line l JOIN firm f ON f.uscc = l.uscc
     WHERE l.state = 'needs_papers' AND l.closed_on IS NULL
     ORDER BY EXISTS (SELECT 1 FROM paper p WHERE p.line_id = l.id) DESC, l.id LIMIT 1)
""")
COUNTS = ("firm", "record", "demand", "push_list", "push_line", "answer", "offer", "credit_grant", "drawdown", "trail",
          "consent", "verdict", "estimate", "follow_up", "review", "certificate", "paper", "objection")  # fmt: skip

REACHED = text("""
    SELECT DISTINCT ON (p.id) p.id, m.role FROM person p JOIN membership m ON m.person_id = p.id
    WHERE p.is_demo AND m.role IN ('firm', 'officer', 'bank_admin', 'district') ORDER BY p.id, m.id
""")
LATEST_TO_FIRMS = text("""
    SELECT id, kind FROM (
        SELECT n.id, n.kind, row_number() OVER (PARTITION BY n.uscc ORDER BY n.id DESC) AS back FROM notice n
        WHERE n.made_on = :day AND n.kind = ANY(:kinds) AND EXISTS (
            SELECT 1 FROM membership m JOIN person p ON p.id = m.person_id WHERE m.uscc = n.uscc AND p.is_demo)) one
    WHERE back <= :most ORDER BY id
""")


def new_lines(tx: Session, after: int) -> Sequence[Row[Any]]:
    """Lines pushed since the one with this key."""
    return tx.execute(NEW_LINES, {"after": after}).all()


def open_lines(tx: Session) -> dict[int, int]:
    """Line a bank may still answer → its demand."""
    return {row.id: row.demand_id for row in tx.execute(OPEN_LINES)}


def open_offers(tx: Session) -> Sequence[Row[Any]]:
    """Offers a firm may accept, by demand, the cheapest first."""
    return tx.execute(OPEN_OFFERS).all()


def accepted_lines(tx: Session) -> Sequence[Row[Any]]:
    """Accepted offers whose bank has not yet reported the grant."""
    return tx.execute(ACCEPTED).all()


def undrawn_grants(tx: Session) -> Sequence[Row[Any]]:
    """Grants nothing was drawn under."""
    return tx.execute(UNDRAWN).all()


def waiting_for_district(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Demands of earlier days that wait between reported and recommended, those with an open review first."""
    return tx.execute(WAITING_FOR_DISTRICT, {"today": today}).all()


def latest_proposals(tx: Session, today: date) -> Sequence[Row[Any]]:
    """The banks proposed to each firm today for its open demand, and how often it was asked before."""
    return tx.execute(PROPOSALS, {"today": today}).all()


def in_the_middle(tx: Session) -> Sequence[Row[Any]]:
    """Demands a firm may still take back."""
    return tx.execute(IN_THE_MIDDLE).all()


def due_follow_ups(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Follow-ups whose date has come."""
    return tx.execute(DUE_FOLLOW_UPS, {"today": today}).all()


def asked_for_papers(tx: Session) -> Sequence[Row[Any]]:
    """Lines on which the bank waits for the firm's papers."""
    return tx.execute(ASKED_FOR_PAPERS).all()


def handed_in(tx: Session, most: int) -> Sequence[Row[Any]]:
    """The latest lines whose papers were given: the answer that asked for them, and when they were."""
    return tx.execute(HANDED_IN, {"most": most}).all()


def contestable(tx: Session, today: date, items: Sequence[str]) -> Sequence[Row[Any]]:
    """Up to three firms a district with an open demand and an adverse record in sight for ten days: that record."""
    known_on = today - timedelta(days=10)
    return tx.execute(CONTESTABLE, {"items": list(items), "today": today, "known_on": known_on}).all()


def funnel(tx: Session) -> Sequence[Row[Any]]:
    """Sums of the countable events by kind."""
    return tx.execute(FUNNEL).all()


def tallies(tx: Session) -> dict[str, dict[str, int]]:
    """Demands by light and by state, lines by state, feeds, and the rows of the main tables."""
    by_word = {"lights": LIGHTS, "demands": STATES, "lines": LINE_STATES}
    tallied = {name: {row.word: row.demands for row in tx.execute(query)} for name, query in by_word.items()}
    feeds = tx.execute(FEEDS).one()
    tallied["feeds"] = {name: int(getattr(feeds, name) or 0) for name in feeds._fields}
    rows = {name: tx.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in COUNTS}
    return tallied | {"rows": rows}


def invoice_totals(tx: Session) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(direction, status, sign) → (invoices, fen) of the invoices in the records."""
    rows = tx.execute(INVOICES).all()
    return {(row.code, row.status, row.sign): (row.invoices, int(row.fen)) for row in rows}


def first_list(tx: Session) -> Row[Any] | None:
    """The first list published, with its certificate and the product's money."""
    return tx.execute(LIST).one_or_none()


def judged(tx: Session) -> Row[Any]:
    """How many verdicts there are, and how many of them recommend."""
    return tx.execute(REPORTED).one()


def enter_registered(tx: Session) -> None:
    """Who reported a demand had registered before; so did every fifth of the others, nine in ten by real name."""
    tx.execute(ENTER_REGISTERED)


def firms_for_deputies(tx: Session) -> Sequence[Row[Any]]:
    """(uscc, name, kind) of a firm somebody acts for, and of one in 金水区 nobody has registered."""
    return tx.execute(FIRMS_FOR_DEPUTIES).all()


def firms_worth_a_look(tx: Session) -> Sequence[Row[Any]]:
    """(what, name, uscc) of firms with offers to compare, a red light, a drawn loan, papers a bank waits for."""
    return tx.execute(WORTH_A_LOOK).all()


def people_to_reach(tx: Session) -> Sequence[Row[Any]]:
    """The demo's persons to whom notices come, each with the first of their roles."""
    return tx.execute(REACHED).all()


def latest_to_firms(tx: Session, kinds: Collection[str], day: date, most: int) -> list[tuple[int, str]]:
    """Key and kind of the last notices of a day to each firm that a person of the demo acts for."""
    found = tx.execute(LATEST_TO_FIRMS, {"kinds": list(kinds), "day": day, "most": most})
    return [(row.id, row.kind) for row in found]
