-- Fourteen trades times thirteen roles, and one who minds them all: 183 jobs.
create view people_jobs as
with

trades as (
    select unnest([
        'Tea', 'Spice', 'Grain', 'Coffee', 'Cocoa', 'Textile', 'Timber', 'Freight', 'Harbour',
        'Warehouse', 'Customs', 'Ledger', 'Market', 'Data'
    ]) as trade
),

roles as (
    select unnest([
        'Adviser', 'Analyst', 'Assistant', 'Buyer', 'Clerk', 'Controller', 'Coordinator',
        'Inspector', 'Manager', 'Planner', 'Specialist', 'Supervisor', 'Trainee'
    ]) as role
),

named as (
    select concat_ws(' ', trade, role) as name from trades cross join roles
    union all
    select 'Managing Director' as name
)

select row_number() over (order by md5(name)) as id, name
from named
order by id;
