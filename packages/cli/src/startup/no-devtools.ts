/** Replaces React's developer tools, which ink imports and the program never loads. */
export default {};
