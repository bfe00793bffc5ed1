/** What a header may have of one sentence and of all, in characters: clients take some 16 KiB of headers. */
const longest = {one: 500, all: 20};

/** Sentences that are not errors as the value of the header `colonies-notice`: each in UTF-8 with percent-encoding (RFC 3986 §2.1), joined by a comma and a space. */
export const noticeHeader = (sentences: readonly string[]): string => sentences.slice(0, longest.all).map(sentence => encodeURIComponent((sentence.length > longest.one ? `${sentence.slice(0, longest.one)}…` : sentence).toWellFormed())).join(', ');
