-- The log of a marketplace's first twelve weeks: for every 1,500 professionals some 7,500 events.
-- Days count from the first of January 2020, moments in seconds from there.
create table services as
select
    service_id,
    name_nl,
    name_en,
    -- What a lead of a service costs at its cheapest, in cents.
    80 + roll('cheapest lead', service_id, 900) as cheapest_cents,
from (
    values
    (3, 'dakgoot-reinigen', 'gutter-cleaning'),
    (8, 'schilderwerk-binnen', 'indoor-painting'),
    (12, 'schilderwerk-buiten', 'outdoor-painting'),
    (17, 'vloer-leggen', 'floor-laying'),
    (21, 'badkamer-verbouwen', 'bathroom-renovation'),
    (26, 'keuken-monteren', 'kitchen-assembly'),
    (33, 'tuin-aanleggen', 'garden-design'),
    (38, 'heg-snoeien', 'hedge-trimming'),
    (41, 'boom-kappen', 'tree-felling'),
    (47, 'zonnepanelen-plaatsen', 'solar-panel-fitting'),
    (52, 'laadpaal-aansluiten', 'charger-wiring'),
    (58, 'cv-ketel-onderhoud', 'boiler-service'),
    (64, 'slot-vervangen', 'lock-replacement'),
    (70, 'kozijn-herstellen', 'window-frame-repair'),
    (75, 'muur-stuken', 'wall-plastering'),
    (83, 'verhuizing', 'house-moving'),
    (91, 'schoonmaak', 'cleaning'),
    (104, 'piano-stemmen', 'piano-tuning'),
    (118, 'feest-catering', 'party-catering'),
    (126, 'wiskunde-bijles', 'maths-tutoring')
) as listed (service_id, name_nl, name_en);

create table professionals as
select
    range + 1 as professional_id,
    roll('joined', range, 60 * 86400) as joined_at,
    -- One in eight never gets through the checks.
    roll('passes', range, 8) > 0 as is_accepted,
    roll('joined', range, 60 * 86400) + 3600 + roll('checked', range, 4 * 86400) as accepted_at,
    roll('ups and downs', range, 10) // 6 as changes,
from range(1500 * getvariable('scale'));

create view moments as
with

accounts as (
    select professional_id, 'created_account' as event_type, joined_at as moment, null as lead_key,
    from professionals
),

accepted as (
    select professional_id, 'became_able_to_propose' as event_type, accepted_at as moment, null as lead_key,
    from professionals
    where is_accepted
),

-- Those who change go off for a while, some within the hour, and come back.
pauses as (
    select
        professional_id,
        accepted_at + 1800 + roll('pause', professional_id, 20 * 86400) as paused_at,
        pick([600, 43200, 86400, 172800, 604800], 'pause length', professional_id) as length,
        changes,
    from professionals
    where is_accepted and changes > 0
),

paused as (
    select professional_id, 'became_unable_to_propose' as event_type, paused_at as moment, null as lead_key,
    from pauses
),

-- One in four stays away.
returned as (
    select professional_id, 'became_able_to_propose' as event_type, paused_at + length as moment, null as lead_key,
    from pauses
    where roll('returns', professional_id, 4) > 0
),

proposed as (
    select
        professional_id,
        'proposed' as event_type,
        accepted_at + roll('proposed', professional_id * 8 + lead_number, 10 * 86400) as moment,
        professional_id * 8 + lead_number as lead_key,
    from professionals, range(4) as leads (lead_number)
    where is_accepted and roll('proposes', professional_id * 8 + lead_number, 10) < 7
)

from accounts
union all
from accepted
union all
from paused
union all
from returned
union all
from proposed;

create view event_log as
with

-- Ids follow time; in the file the events stand by kind, as they were written out.
numbered as (
    select
        *,
        row_number() over (order by moment, professional_id, event_type, lead_key) as event_id,
        pick((select array_agg(service_id order by service_id) from services), 'service', lead_key) as service_id,
    from moments
)

select
    concat_ws(
        ';',
        numbered.event_id,
        numbered.event_type,
        numbered.professional_id,
        strftime(timestamp '2020-01-01 00:00:00' + to_seconds(numbered.moment), '%Y-%m-%d %H:%M:%S'),
        case
            when numbered.lead_key is null then ''
            else format(
                '{}_{}_{}_{:.2f}',
                services.service_id,
                services.name_nl,
                services.name_en,
                (services.cheapest_cents + roll('lead fee', numbered.lead_key, 400)) / 100
            )
        end
    ) as line,
    numbered.event_type,
    numbered.event_id,
from numbered
left join services on numbered.service_id = services.service_id;
