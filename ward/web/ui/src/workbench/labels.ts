/** Labelled events as people paste them: a line each, `stay,time` or `bed,time`. Pure. */

export interface Labels {
  events: { stay: string; time: string }[];
  /** Lines that could not be read, or whose patient is not known. */
  bad: string[];
}

/** `stayOf`: the stay of what stands in the first column (an id, or a bed), if there is one. */
export function readLabels(text: string, stayOf: (name: string) => string | undefined): Labels {
  const found: Labels = { events: [], bad: [] };
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (!line || /^stay\s*[,;\t]/i.test(line)) continue;
    const [name = "", time = ""] = line.split(/[,;\t]/).map((part) => part.trim());
    const stay = stayOf(name);
    const at = Date.parse(time);
    if (stay && !Number.isNaN(at)) found.events.push({ stay, time: new Date(at).toISOString() });
    else found.bad.push(line);
  }
  return found;
}
