/** Stands in for React's developer tools, which ink names and the program never loads. */
export default {};
