create table employees as
select
    employee_id::smallint as employee_id,
    last_name,
    first_name,
    title,
    title_of_courtesy,
    birth_date::date as birth_date,
    hire_date::date as hire_date,
    house_address(places.street, 'employee address', employee_id) as address,
    places.city,
    places.region,
    places.postal_code,
    places.country,
    phone_number('employee phone', employee_id, places.area) as home_phone,
    extension,
    -- Some photos are there, two are empty, and one is missing.
    case
        when employee_id = 9 then null
        when employee_id in (4, 7) then ''::blob
        else one_pixel_gif('employee', employee_id)
    end as photo,
    notes,
    reports_to::smallint as reports_to,
    format('photos/{}.gif', lower(strip_accents(first_name))) as photo_path,
from (
    values
    (1, 'Varnhjelm', 'Isidor', 'Managing Director', 'Dr.', '1948-11-02', '1992-01-13', 4, '1000',
     null, 'Founded the house with one borrowed lorry. Writes all minutes by hand.'),
    (2, 'Oakhanger', 'Tamsin', 'Account Keeper', 'Ms.', '1961-03-14', '1992-05-04', 37, '4021', 8,
     'Ran a seed library before she came to us. Reads timetables for pleasure.'),
    (3, 'Thistlewaite', 'Corin', 'Head of the Bristol Desk', 'Mr.', '1952-05-19', '1992-06-01', 3,
     '5000', 1, 'Opened the desk abroad and still signs off each of its credit notes.'),
    (4, 'Piętrowska', 'Halina', 'Senior Account Keeper', 'Mrs.', '1955-01-30', '1993-03-08', 31,
     '4024', 8, 'Came from the grain exchange. Her café list is worth a visit: żurek, pączki.'),
    (5, 'Nakashiro', 'Emi', 'Account Keeper', 'Ms.', '1966-12-07', '1993-09-20', 24, '5026', 3,
     'Plays the viola; has not lost an order form since she joined.'),
    (6, 'Delacanto', 'Rufina', 'Account Keeper', 'Mrs.', '1957-08-23', '1993-10-18', 44, '4023', 8,
     'Speaks Portuguese, Galician and some Welsh; knows every buyer''s birthday.'),
    (7, 'Ó Dálaigh', 'Fintan', 'Account Keeper', 'Mr.', '1960-07-11', '1994-02-07', 42, '5027', 3,
     null),
    (8, 'Marchbanks', 'Odessa', 'Head of the Denver Desk', 'Ms.', '1958-04-26', '1994-03-14', 4,
     '4028', 1, 'Keeps the telephones, the samples and the peace.'),
    (9, 'Grünwedel', 'Lorenz', 'Account Keeper', 'Mr.', '1969-09-03', '1994-11-21', 3, '5029', 3,
     'Youngest of the desk. Cycles to the harbour whatever the weather.')
) as listed (
    employee_id, last_name, first_name, title, title_of_courtesy, birth_date, hire_date, place_id,
    extension, reports_to, notes
)
inner join places on listed.place_id = places.place_id
order by employee_id;

-- Real places with their real zip codes; four of them are nobody's.
create table territories_listed as
select
    row_number() over () as territory_number,
    territory_id,
    territory_description,
    region_id::smallint as region_id,
from (
    values
    ('02108', 'Boston', 1), ('02740', 'New Bedford', 1), ('03101', 'Manchester', 1),
    ('04101', 'Portland', 1), ('05602', 'Montpelier', 1), ('06320', 'New London', 1),
    ('07030', 'Hoboken', 1), ('10301', 'Staten Island', 1), ('12207', 'Albany', 1),
    ('13202', 'Syracuse', 1), ('17101', 'Harrisburg', 1), ('18503', 'Scranton', 1),
    ('19801', 'Wilmington', 1), ('21401', 'Annapolis', 1), ('23219', 'Richmond', 1),
    ('23510', 'Norfolk', 1), ('27601', 'Raleigh', 1), ('28401', 'Wilmington', 1),
    ('29401', 'Charleston', 1), ('59601', 'Helena', 2), ('80302', 'Boulder', 2),
    ('82001', 'Cheyenne', 2), ('83702', 'Boise', 2), ('84101', 'Salt Lake City', 2),
    ('87501', 'Santa Fe', 2), ('89501', 'Reno', 2), ('93940', 'Monterey', 2),
    ('95501', 'Eureka', 2), ('95814', 'Sacramento', 2), ('97103', 'Astoria', 2),
    ('97401', 'Eugene', 2), ('98225', 'Bellingham', 2), ('99201', 'Spokane', 2),
    ('43604', 'Toledo', 3), ('44114', 'Cleveland', 3), ('46802', 'Fort Wayne', 3),
    ('49503', 'Grand Rapids', 3), ('50309', 'Des Moines', 3), ('53703', 'Madison', 3),
    ('54301', 'Green Bay', 3), ('55802', 'Duluth', 3), ('57501', 'Pierre', 3),
    ('61602', 'Peoria', 3), ('66044', 'Lawrence', 3), ('68508', 'Lincoln', 3),
    ('32501', 'Pensacola', 4), ('33040', 'Key West', 4), ('36602', 'Mobile', 4),
    ('39530', 'Biloxi', 4), ('70801', 'Baton Rouge', 4), ('73102', 'Oklahoma City', 4),
    ('77550', 'Galveston', 4), ('78401', 'Corpus Christi', 4)
) as listed (territory_id, territory_description, region_id);

create view territories as
select territory_id, territory_description, region_id from territories_listed;

create view employee_territories as
select
    (1 + territory_number % 9)::smallint as employee_id,
    territory_id,
from territories_listed
where territory_number <= 49;
