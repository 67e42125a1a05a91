create table region as
select region_id::smallint as region_id, region_description from (
    values (1, 'Atlantic'), (2, 'Pacific & Mountain'), (3, 'Great Lakes & Plains'), (4, 'Gulf')
) as listed (region_id, region_description);

create table shippers as
select shipper_id::smallint as shipper_id, company_name, phone from (
    values
    (1, 'Brigantine Parcel', '(503) 555-0118'),
    (2, 'Kingfisher Freight', '(503) 555-0142'),
    (3, 'Longshore & Mule', '(503) 555-0167'),
    (4, 'Petrel Overnight', '(800) 555-0183'),
    (5, 'Postkutsche Süd', '0931-555019'),
    (6, 'Tramontana Cargo', null)
) as listed (shipper_id, company_name, phone);

create table categories as
select
    category_id::smallint as category_id,
    category_name,
    description,
    -- Some pictures are there, one is empty, and one is missing.
    case
        when category_id = 7 then ''::blob
        when category_id < 7 then one_pixel_gif('category', category_id)
    end as picture,
from (
    values
    (1, 'Hot & Cold', 'Teas, coffees, cordials, ciders and small beers'),
    (2, 'Larder', 'Pickles, relishes, vinegars, oils and spice pastes'),
    (3, 'Sweet Things', 'Chocolate, biscuits, nougat and marzipan'),
    (4, 'Dairy Counter', 'Cheeses, butters and cultured milk'),
    (5, 'Bread & Grain', 'Crispbreads, pasta, flours and oats'),
    (6, 'Butcher', 'Cured and prepared meats'),
    (7, 'Greengrocer', 'Dried fruit, mushrooms and bean curd'),
    (8, 'Quayside', 'Smoked, tinned and dried fish, and seaweed')
) as listed (category_id, category_name, description);

create table us_states as
select
    row_number() over ()::smallint as state_id,
    state_name,
    state_abbr,
    state_region,
from (
    -- Regions as the US Census Bureau draws them.
    values
    ('Alabama', 'AL', 'south'), ('Alaska', 'AK', 'west'), ('Arizona', 'AZ', 'west'),
    ('Arkansas', 'AR', 'south'), ('California', 'CA', 'west'), ('Colorado', 'CO', 'west'),
    ('Connecticut', 'CT', 'northeast'), ('Delaware', 'DE', 'south'),
    ('District of Columbia', 'DC', 'south'), ('Florida', 'FL', 'south'),
    ('Georgia', 'GA', 'south'), ('Hawaii', 'HI', 'west'), ('Idaho', 'ID', 'west'),
    ('Illinois', 'IL', 'midwest'), ('Indiana', 'IN', 'midwest'), ('Iowa', 'IA', 'midwest'),
    ('Kansas', 'KS', 'midwest'), ('Kentucky', 'KY', 'south'), ('Louisiana', 'LA', 'south'),
    ('Maine', 'ME', 'northeast'), ('Maryland', 'MD', 'south'),
    ('Massachusetts', 'MA', 'northeast'), ('Michigan', 'MI', 'midwest'),
    ('Minnesota', 'MN', 'midwest'), ('Mississippi', 'MS', 'south'),
    ('Missouri', 'MO', 'midwest'), ('Montana', 'MT', 'west'), ('Nebraska', 'NE', 'midwest'),
    ('Nevada', 'NV', 'west'), ('New Hampshire', 'NH', 'northeast'),
    ('New Jersey', 'NJ', 'northeast'), ('New Mexico', 'NM', 'west'),
    ('New York', 'NY', 'northeast'), ('North Carolina', 'NC', 'south'),
    ('North Dakota', 'ND', 'midwest'), ('Ohio', 'OH', 'midwest'), ('Oklahoma', 'OK', 'south'),
    ('Oregon', 'OR', 'west'), ('Pennsylvania', 'PA', 'northeast'),
    ('Rhode Island', 'RI', 'northeast'), ('South Carolina', 'SC', 'south'),
    ('South Dakota', 'SD', 'midwest'), ('Tennessee', 'TN', 'south'), ('Texas', 'TX', 'south'),
    ('Utah', 'UT', 'west'), ('Vermont', 'VT', 'northeast'), ('Virginia', 'VA', 'south'),
    ('Washington', 'WA', 'west'), ('West Virginia', 'WV', 'south'),
    ('Wisconsin', 'WI', 'midwest'), ('Wyoming', 'WY', 'west')
) as listed (state_name, state_abbr, state_region);

-- Northwind's two tables that never had a row.
create table customer_demographics (customer_type_id varchar, customer_desc varchar);
create table customer_customer_demo (customer_id varchar, customer_type_id varchar);
