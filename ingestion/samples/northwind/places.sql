-- Real cities; the streets are ours, with # where the house number goes.
create table places as
select * from (
    values
    (1, 'Göteborg', null, '411 06', 'Sweden', 'Lotsgränden #', '031'),
    (2, 'Porto', null, '4050-253', 'Portugal', 'Rua das Gaivotas, #', '22'),
    (3, 'Bristol', null, 'BS1 4ST', 'UK', '# Tidewater Row', '117'),
    (4, 'Denver', 'CO', '80202', 'USA', '# Switchback Ave.', '303'),
    (5, 'Würzburg', null, '97070', 'Germany', 'Kelterstraße #', '0931'),
    (6, 'Besançon', null, '25000', 'France', '#, rue des Horlogères', '03.81'),
    (7, 'Kraków', null, '31-011', 'Poland', 'ul. Bursztynowa #', '12'),
    (8, 'Florianópolis', 'SC', '88010-400', 'Brazil', 'Rua da Maré, #', '48'),
    (9, 'Málaga', null, '29015', 'Spain', 'C/ del Faro, #', '952'),
    (10, 'Ålesund', null, '6002', 'Norway', 'Sildegata #', '70'),
    (11, 'Torino', null, '10122', 'Italy', 'Via del Setaccio #', '011'),
    (12, 'Zürich', null, '8001', 'Switzerland', 'Lindenschanze #', '01'),
    (13, 'Burlington', 'VT', '05401', 'USA', '# Sugarhouse Rd.', '802'),
    (14, 'Querétaro', null, '76000', 'Mexico', 'Callejón del Telar #', '42'),
    (15, 'Tampere', null, '33100', 'Finland', 'Koskenniskankuja #', '03'),
    (16, 'Galway', 'Co. Galway', null, 'Ireland', '# Herring Quay', '91'),
    (17, 'Québec', 'Québec', 'G1R 4P5', 'Canada', '#, rue du Traversier', '418'),
    (18, 'Graz', null, '8010', 'Austria', 'Uhrwerkgasse #', '0316'),
    (19, 'Rosario', null, '2000', 'Argentina', 'Pasaje Lapacho #', '41'),
    (20, 'Gent', null, '9000', 'Belgium', 'Vlasmarkt-Noord #', '09'),
    (21, 'Odense', null, '5000', 'Denmark', 'Klokkestøberstræde #', '66'),
    (22, 'Plzeň', null, '301 00', 'Czechia', 'Chmelová #', '19'),
    (23, 'Savannah', 'GA', '31401', 'USA', '# Cotton Bluff St.', '912'),
    (24, 'Leeds', null, 'LS1 5AS', 'UK', '# Loomgate', '113'),
    (25, 'Nîmes', null, '30000', 'France', '#, place du Micocoulier', '04.66'),
    (26, 'Köln', null, '50667', 'Germany', 'Am Leinpfad #', '0221'),
    (27, 'Belo Horizonte', 'MG', '30130-010', 'Brazil', 'Rua do Ipê-Amarelo, #', '31'),
    (28, 'A Coruña', null, '15001', 'Spain', 'Rúa da Brétema, #', '981'),
    (29, 'Valparaíso', null, '2340000', 'Chile', 'Subida Tres Vientos #', '32'),
    (30, 'Kelowna', 'BC', 'V1Y 6N2', 'Canada', '# Orchard Bench Dr.', '250'),
    (31, 'Duluth', 'MN', '55802', 'USA', '# Ore Dock Rd.', '218'),
    (32, 'Utrecht', null, '3511 LX', 'Netherlands', 'Turfschip #', '030'),
    (33, 'Győr', null, '9021', 'Hungary', 'Kékfestő utca #', '96'),
    (34, 'Reykjavík', null, '101', 'Iceland', 'Lundagata #', '551'),
    (35, 'Bologna', null, '40126', 'Italy', 'Vicolo Tre Ruote #', '051'),
    (36, 'Cork', 'Co. Cork', null, 'Ireland', '# Butter Steps', '21'),
    (37, 'Boise', 'ID', '83702', 'USA', '# Sagebrush Ct.', '208'),
    (38, 'Ljubljana', null, '1000', 'Slovenia', 'Splavarska #', '061'),
    (39, 'Curitiba', 'PR', '80020-300', 'Brazil', 'Al. das Araucárias, #', '41'),
    (40, 'Lübeck', null, '23552', 'Germany', 'Salzspeichergang #', '0451'),
    (41, 'Mérida', null, '97000', 'Mexico', 'Calle 47-B Núm. #', '99'),
    (42, 'Cardiff', null, 'CF10 1BH', 'UK', '# Coalhouse Terrace', '1222'),
    (43, 'Linköping', null, '582 24', 'Sweden', 'Vävaregränd #', '013'),
    (44, 'Charleston', 'SC', '29401', 'USA', '# Indigo Wharf', '843'),
    (45, 'Genève', null, '1204', 'Switzerland', '#, quai des Mouettes', '022')
) as listed (place_id, city, region, postal_code, country, street, area);

-- Invented people are put together from these; none is anybody in particular.
create macro person_name(purpose, key) as concat_ws(
    ' ',
    pick([
        'Åsa', 'Bastien', 'Célia', 'Dorota', 'Eilidh', 'Fabrizio', 'Gwenaël', 'Halldóra', 'Ignacio',
        'Jorun', 'Katalin', 'Leopold', 'Marisol', 'Nuno', 'Odile', 'Pelle', 'Quirin', 'Rosalía',
        'Siobhán', 'Tadeu', 'Ulrike', 'Vendula', 'Wojciech', 'Ximena', 'Yrsa', 'Zdeněk'
    ], concat(purpose, ': given name'), key),
    pick([
        'Abendschein', 'Bramwell', 'Callanach', 'Dunquist', 'Espadinha', 'Fernhout', 'Grønlid',
        'Hartlepin', 'Ibarrola', 'Jelínková', 'Kestenholz', 'Lindqvarn', 'Mirabeau', 'Nørgård',
        'Oxenham', 'Pardavell', 'Quennerstedt', 'Rautamäki', 'Szélkiáltó', 'Tavira', 'Umbridge',
        'Vallotière', 'Wexcombe', 'Ystgaard', 'Zapatán'
    ], concat(purpose, ': family name'), key)
);

create macro job_title(purpose, key) as pick([
    'Proprietor', 'Head Buyer', 'Purchasing Lead', 'Shop Manager', 'Export Clerk', 'Accounts Clerk',
    'Marketing Lead', 'Stock Keeper', 'Sales Deputy'
], concat(purpose, ': job title'), key);
