-- Hires of the years 2020 to 2022, to the second; one in fifty has a fault that an import must find.
create view people_employees as
with

chosen as (
    select
        range + 1 as id,
        roll('hired', range, 1096 * 86400) as second,
        -- Where the roll falls among the departments' shares of a hundred.
        roll('department', range, 100) as place,
        1 + roll('job', range, 183) as job_id,
        roll('fault', range, 250) as fault
    from range(1999 * getvariable('scale'))
),

shares as (
    select id as department_id, sum(share) over (order by id) - share as first, share
    from departments_listed
)

select
    chosen.id,
    case when fault <> 0 then person_name('hire', chosen.id) end as name,
    case
        when fault <> 1
            then strftime(
                timestamp '2020-01-01 00:00:00' + to_seconds(chosen.second), '%Y-%m-%dT%H:%M:%SZ'
            )
    end as hiring_date,
    case fault when 2 then null when 3 then 99 else shares.department_id end as department_id,
    case when fault <> 4 then chosen.job_id end as job_id
from chosen
inner join shares
    on chosen.place >= shares.first and chosen.place < shares.first + shares.share
order by chosen.id;
