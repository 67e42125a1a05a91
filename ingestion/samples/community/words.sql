-- What the invented members talk about: a sentence is an opening, a thing of the trade, and an end.
create macro community_phrase(purpose, key) as concat_ws(
    ' ',
    pick([
        'a crate of', 'an honest word on', 'half a pound of', 'my notes about', 'the last of',
        'the right price of', 'three ways with', 'too much', 'waiting for', 'who remembers'
    ], concat(purpose, ': opening'), key),
    pick([
        'anchovies', 'black tea', 'cardamom', 'dried figs', 'green olives', 'harbour fog',
        'mountain cheese', 'pickled herring', 'quince paste', 'rye crispbread', 'sea salt',
        'smoked paprika', 'vanilla pods', 'wild honey'
    ], concat(purpose, ': thing'), key)
);

create macro community_sentence(purpose, key) as concat(
    community_phrase(purpose, key), ' ',
    pick([
        'before the ferry leaves', 'for a wet Tuesday', 'from the far end of the quay',
        'in a copper pan', 'kept in the cold store', 'shared with the night shift',
        'that nobody ordered', 'when the ledgers are closed', 'with bread and patience',
        'without asking customs'
    ], concat(purpose, ': end'), key)
);
