-- The last one has yet to hire anybody: its share of a hundred hires is none.
create table departments_listed as
select * from (
    values
    (1, 'Harbour Operations', 22),
    (2, 'Buying Desk', 17),
    (3, 'Customer Desk', 14),
    (4, 'Cold Storage', 12),
    (5, 'Fleet Care', 9),
    (6, 'Customs and Duties', 7),
    (7, 'Ledgers', 6),
    (8, 'Data Office', 5),
    (9, 'Market Studies', 4),
    (10, 'People Care', 3),
    (11, 'Quality Kitchen', 1),
    (12, 'Insurance Claims', 0)
) as listed (id, name, share);

create view people_departments as
select id, name from departments_listed;
