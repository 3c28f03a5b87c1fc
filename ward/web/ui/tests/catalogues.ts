/** All three, which no screen ever carries together. */

import type { Language, Words } from "../src/text";
import { da } from "../src/text/da";
import { en } from "../src/text/en";
import { nb } from "../src/text/nb";

export const CATALOGUES: Readonly<Record<Language, Words>> = { da, en, nb };
