/** Tests speak English until they choose another language. */

import { chooseLanguage } from "../src/text";

await chooseLanguage("en");
