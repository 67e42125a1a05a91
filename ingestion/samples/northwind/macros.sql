-- Chance, the same on every machine: whole-number arithmetic and md5 are standards, where random()
-- and hash() belong to one version of DuckDB. A roll, from 0 to sides - 1, depends on its purpose
-- and its row's key alone, never on row order or threads.
create macro seed(purpose) as
    (md5_number_lower(concat('tradewinds:', purpose)) % 2147483647)::bigint;

-- Squaring twice modulo the prime 2³¹ - 1 scatters neighbouring keys, and fits a bigint throughout.
create macro scatter(number) as number * number % 2147483647;

create macro roll(purpose, key, sides) as
    (scatter(scatter((key::bigint * 69621 + seed(purpose)) % 2147483647)) % sides)::integer;

create macro pick(choices, purpose, key) as
    choices[1 + roll(purpose, key, len(choices))];

create macro phone_number(purpose, key, area) as
    format('({}) 555-{:04d}', area, roll(purpose, key, 10000));

create macro house_address(pattern, purpose, key) as
    replace(pattern, '#', (1 + roll(purpose, key, 190))::varchar);

-- The smallest GIF there is: one pixel, of the colour that the roll gives.
create macro one_pixel_gif(purpose, key) as from_hex(concat(
    '47494638396101000100800000', format('{:06x}', roll(purpose, key, 16777216)),
    '0000002c00000000010001000002024401003b'
));

-- A four-letter word of A–Z for every number below 26⁴ = 456,976.
create macro spell(number) as concat(
    chr((65 + number // 17576 % 26)::integer),
    chr((65 + number // 676 % 26)::integer),
    chr((65 + number // 26 % 26)::integer),
    chr((65 + number % 26)::integer)
);

-- Money to the cent, without zeros at the end: 14.00 is written 14, and 9.80 as 9.8.
create macro trim_zeros(amount) as
    rtrim(rtrim(round(amount, 2)::decimal(10, 2)::varchar, '0'), '.');
