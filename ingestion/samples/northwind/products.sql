create table suppliers as
select
    supplier_id::smallint as supplier_id,
    company_name,
    person_name('supplier', supplier_id) as contact_name,
    job_title('supplier', supplier_id) as contact_title,
    house_address(places.street, 'supplier address', supplier_id) as address,
    places.city,
    places.region,
    places.postal_code,
    places.country,
    phone_number('supplier phone', supplier_id, places.area) as phone,
    case when roll('supplier has fax', supplier_id, 3) = 0
        then phone_number('supplier fax', supplier_id, places.area)
    end as fax,
    case when supplier_id % 6 = 0
        then format('http://supplier-{}.example/', supplier_id)
    end as homepage,
from (
    values
    (1, 'Thornapple Orchards', 3), (2, 'Bayou Cinder Kitchens', 23),
    (3, 'Quiltmaker Preserves', 13), (4, 'Kombu & Kelp Co.', 30), (5, 'Lechería Monte Bruma', 28),
    (6, 'Tidepool Smokehouse', 44), (7, 'Wattlebird Bakers', 24),
    (8, 'Ginger Lantern Biscuits', 42), (9, 'Rågsäcken AB', 1), (10, 'Refrescos Sabiá Ltda.', 8),
    (11, 'Zimtstern & Söhne', 5), (12, 'Alpenpfeffer KG', 18), (13, 'Nordlicht Räucherei', 40),
    (14, 'Caseificio Due Torri', 35), (15, 'Myrfjell Meieri', 10), (16, 'Gristmill Small Beer', 31),
    (17, 'Strömming & Dill AB', 43), (18, 'Clos de la Huppe', 6), (19, 'Barnacle Bill of Fare', 13),
    (20, 'Peppervine Traders', 32), (21, 'Lakrids Øst', 21), (22, 'Stroopwagen BV', 32),
    (23, 'Suolaheinä Oy', 15), (24, 'Drover''s Rest Meats', 37), (25, 'Tourtière Lavigueur', 17),
    (26, 'Pastificio Girasole', 11), (27, 'Escargots du Rempart', 25),
    (28, 'Fromagerie Trois Cloches', 45), (29, 'Érablière du Huard', 17)
) as listed (supplier_id, company_name, place_id)
inner join places on listed.place_id = places.place_id
order by supplier_id;

-- What a product is sold by, for each category.
create macro package(category_id, key) as pick(
    case category_id
        when 1 then ['6 x 75 cl', '12 x 50 cl', '24 x 33 cl', '20 tins of 125 g']
        when 2 then ['8 jars of 220 g', '15 jars of 340 g', '6 flasks of 40 cl']
        when 3 then ['40 bars of 90 g', '18 boxes of 350 g', '30 bags of 160 g']
        when 4 then ['2 wheels of 3 kg', '16 pieces of 225 g', '10 tubs of 400 g']
        when 5 then ['12 bags of 750 g', '20 packs of 300 g', '4 sacks of 5 kg']
        when 6 then ['10 packs of 600 g', '6 pieces of 1.2 kg']
        when 7 then ['25 bags of 180 g', '5 trays of 2 kg']
        when 8 then ['18 tins of 110 g', '9 sides of 800 g', '14 jars of 260 g']
    end,
    'package', key
);

create table products as
with

listed as (
    select
        row_number() over () as product_id,
        product_name,
        supplier_id,
        category_id,
    from (
        values
        ('Agnolotti del Bosco', 26, 5), ('Amber Maple Syrup', 29, 2), ('Aren Palm Treacle', 20, 2),
        ('Bayou Cinder Rub', 2, 2), ('Bayou Fire Paste', 2, 2), ('Bitter Peel Curd', 8, 3),
        ('Blu della Nebbia', 14, 4), ('Bog Lingonberry Relish', 3, 2), ('Breakwater Bisque', 19, 8),
        ('Brezelknödel', 12, 5), ('Bulots du Rempart', 27, 8), ('Burrata Girasole', 14, 4),
        ('Cajuína Sabiá', 10, 1), ('Clos de la Huppe Blanc', 18, 1), ('Cloud Bean Curd', 4, 7),
        ('Cretons Maison', 25, 6), ('Currant Griddlebreads', 8, 3), ('Dark Plum Soy', 4, 2),
        ('Dill Strömming', 17, 8), ('Drover''s Hand Pies', 24, 6), ('Elderflower Cordial', 1, 1),
        ('Ginger Lantern Snaps', 8, 3), ('Gravad Röding', 17, 8), ('Gristmill Oat Stout', 16, 1),
        ('Gristmill Pale', 16, 1), ('Grüne Sieben-Kräuter', 12, 2), ('Hagelslag Nacht', 22, 3),
        ('Haselnuss-Nougatcreme', 11, 3), ('Heather-Fed Hogget', 24, 6),
        ('Hop Garden Spread', 7, 2), ('Java Moonrise Coffee', 20, 1), ('Kaneelwagentjes', 22, 3),
        ('Kornbröd Thins', 9, 5), ('Kvitlin fra Myrfjell', 15, 4), ('Lantern Roe', 4, 8),
        ('Levee Okra Pickle', 2, 2), ('Levee Red Pepper Sauce', 2, 2),
        ('Liqueur de Mélisse', 18, 1), ('Loon Lake Lager', 16, 1), ('Mandelsplitter-Tafel', 11, 3),
        ('Meringue Gulls', 7, 3), ('Mustikkakuohu', 23, 1), ('Myrfjell Brunost', 15, 4),
        ('Oat & Heather Fingers', 8, 3), ('Pähkinä Fudge', 23, 3), ('Pandan Rice Ribbons', 20, 5),
        ('Pâté à la Viande Lavigueur', 25, 6), ('Potted Dungeness', 19, 8),
        ('Pouding du Huard', 29, 3), ('Queso de Bruma', 5, 4), ('Queso Tres Ovejas', 5, 4),
        ('Rågspån Crispbread', 9, 5), ('Räuchermatjes', 13, 8), ('Røget Makrel', 21, 8),
        ('Ribbon Kombu', 4, 8), ('Ricotta Due Torri', 14, 4), ('Röd Löjrom', 17, 8),
        ('Salmiakki Pebbles', 23, 3), ('Saltbush Mutton', 24, 6), ('Setervad Primost', 15, 4),
        ('Smoky Harbour Tea', 1, 1), ('Sprød Sild', 21, 8), ('Steel-Cut Groats', 24, 5),
        ('Sun-Shrunk Pears', 3, 7), ('Tiger-Stripe Prawns', 6, 8), ('Tomme de l''Alpage', 28, 4),
        ('Trofie di Castagne', 26, 5), ('Uhrwerk Dunkel', 12, 1), ('Vacherin Trois Cloches', 28, 4),
        ('Wacholder-Landjäger', 12, 6), ('Wattleseed Ginger Beer', 7, 1),
        ('Weinberg-Spitzkraut', 12, 7), ('Wind-Dried Apple Rings', 7, 7),
        ('Windfall Plum Spread', 3, 2), ('Windfall Small Cider', 1, 1),
        ('Winter Enoki Bundle', 4, 7), ('Zimtstern-Monde', 11, 3)
    ) as named (product_name, supplier_id, category_id)
)

select
    product_id::smallint as product_id,
    product_name,
    supplier_id::smallint as supplier_id,
    category_id::smallint as category_id,
    package(category_id, product_id) as quantity_per_unit,
    -- From 2.00 in steps of 0.05: many cheap, few dear, and one in fifteen dearer by far.
    (
        (40 + roll('price', product_id, 40) * roll('quality', product_id, 40)) * 0.05
        * case when roll('luxury', product_id, 15) = 0 then 4 else 1 end
    )::real as unit_price,
    roll('stock', product_id, 125)::smallint as units_in_stock,
    (10 * greatest(0, roll('on order', product_id, 24) - 15))::smallint as units_on_order,
    (5 * roll('reorder', product_id, 7))::smallint as reorder_level,
    (product_id % 10 = 5)::integer as discontinued,
from listed
order by product_id;
