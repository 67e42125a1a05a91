create table customers_listed as
select row_number() over () - 1 as listed_number, company_name, place_id from (
    values
    ('Ambertide Grocers', 3), ('Anker & Ähre Feinkost', 40), ('Apfelwinkel Märkte', 5),
    ('Arcada do Sal', 2), ('Aurelund Delikatesser', 21), ('Azulejo Mercearia', 2),
    ('Barkentine Provisions', 44), ('Bellflower Kitchens', 13), ('Björkdal Skafferi', 43),
    ('Blaukorn Lebensmittel', 26), ('Bodega del Zorzal', 19), ('Brambleway Stores', 24),
    ('Brisa Norte Abarrotes', 14), ('Bûche et Beurre', 25), ('Candlewick Larder', 23),
    ('Casa Torvisco', 9), ('Château-Musette Épicerie', 6), ('Cinnabar Corner', 31),
    ('Cobblegate Foods', 24), ('Comptoir des Lanternes', 45), ('Copperkettle Diner', 4),
    ('Cuatro Faroles', 28), ('Dagmar & Datter', 21), ('Dolcevento Alimentari', 11),
    ('Dovetail Pantry', 36), ('Drei Mühlen Kaufhaus', 18), ('Dunlin Harbour Foods', 16),
    ('Eichenkrug Vorräte', 5), ('El Colibrí Dorado', 41), ('Emberlight Café', 37),
    ('Épices du Beffroi', 20), ('Estrela-do-Cais', 8), ('Fairhollow Market', 42),
    ('Farol da Serra', 39), ('Fennimore Fine Foods', 3), ('Fjordglimt Dagligvarer', 10),
    ('Folkesund Livs', 1), ('Forno Lucciola', 35), ('Frühtau Reformhaus', 12),
    ('Gaslight Grocery', 4), ('Gelbe Laterne Imbiss', 26), ('Gingham & Rye', 31),
    ('Glasblåsaren Mat', 43), ('Grão Miúdo', 27), ('Guanaco Azul', 29), ('Halyard Trading', 42),
    ('Hanseatenkorb', 40), ('Hazelmere Tearooms', 3), ('Herbstgold Feinkost', 18),
    ('Hüttenzauber Proviant', 12), ('Ironwood Commissary', 37), ('Isbjørn Kolonial', 10),
    ('Ivory Gull Catering', 36), ('Jacarandá Quitandas', 27), ('Jasper Lane Deli', 30),
    ('Juniper & Oak', 13), ('Kaffeinsel Rösterei', 26), ('Kaleidos Market', 38),
    ('Karpatský Koš', 22), ('Kestrel Provisions', 16), ('Kiosco Luna Llena', 19),
    ('Königsbrot Handel', 5), ('Kwiat Polny Sklep', 7), ('La Gavilla Tostada', 14),
    ('Lanternfish Bistro', 23), ('Le Panier Voyageur', 17), ('Limonaia Vecchia', 35),
    ('Loaf & Lantern', 42), ('Lumihiutale Kauppa', 15), ('Maison Tournesol', 25),
    ('Mandarinenhof', 18), ('Marrowfield Stores', 44), ('Mercado Siete Soles', 41),
    ('Mistral & Fils', 25), ('Mooncalf Eatery', 4), ('Nachtigall Feinbäcker', 40),
    ('Nettlefold Farm Shop', 24), ('Nimbus Wholefoods', 30), ('Nuvola Rossa', 11),
    ('Oldstone Victuals', 36), ('Olivar de la Bruma', 9), ('Osprey Point Market', 31),
    ('Papillon Salé', 45), ('Pepperwhistle', 32), ('Quayside Larder', 16),
    ('Quinta da Neblina', 39), ('Rökstugan Mat & Vin', 1), ('Saffron Tern Imports', 32),
    ('Sklep pod Żaglem', 7), ('Tallgrass Mercantile', 37), ('Tisíc Vůní', 22)
) as listed (company_name, place_id);

-- Every further 91 customers are branches of the listed ones, in other places. A listed customer's
-- id is the first letters of its name, A to T; a branch's begins with U to Z or, above 25 million
-- orders, with a digit: none comes up twice.
create table customers_numbered as
with

numbered as (
    select
        range as customer_number,
        range % 91 as listed_number,
        range // 91 as branch,
    from range(91 * getvariable('scale'))
),

placed as (
    select
        numbered.*,
        customers_listed.company_name,
        case when numbered.branch = 0
            then customers_listed.place_id
            else 1 + roll('branch place', numbered.customer_number, 45)
        end as place_id,
    from numbered
    inner join customers_listed on numbered.listed_number = customers_listed.listed_number
)

select
    placed.customer_number,
    case when placed.branch = 0
        then upper(left(regexp_replace(strip_accents(company_name), '[^A-Za-z]', '', 'g'), 5))
        else concat(
            substr('UVWXYZ0123456789', 1 + (placed.customer_number - 91) // 456976, 1),
            spell((placed.customer_number - 91) % 456976)
        )
    end as customer_id,
    case when placed.branch = 0
        then placed.company_name
        else concat(placed.company_name, ' ', placed.branch + 1)
    end as company_name,
    person_name('customer', placed.customer_number) as contact_name,
    job_title('customer', placed.customer_number) as contact_title,
    house_address(places.street, 'customer address', placed.customer_number) as address,
    places.city,
    places.region,
    places.postal_code,
    places.country,
    phone_number('customer phone', placed.customer_number, places.area) as phone,
    case when roll('customer has fax', placed.customer_number, 4) > 0
        then phone_number('customer fax', placed.customer_number, places.area)
    end as fax,
from placed
inner join places on placed.place_id = places.place_id
order by placed.customer_number;

create view customers as
select * exclude (customer_number) from customers_numbered;
